//! A scalar as somebody wrote it in a file, read into the value that was wanted or into what is wrong with it.
//!
//! A wrong scalar does not stop the reading: it is kept as a fault and told together with all others.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use jiff::civil::Date;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::base::names::{ProfileName, Revision, Serial, nearest};
use crate::base::span::parse_span;
use crate::base::units::{Amps, Celsius, Kelvins, Ohms, Quantity, Volts};
use crate::event::FigureName;
use crate::instrument::dialect::Address;

/// What is wrong with a scalar.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Wrong {
    /// What was expected.
    pub(crate) message: String,
    /// The known word that was probably meant.
    pub(crate) nearest: Option<String>,
}

impl From<String> for Wrong {
    fn from(message: String) -> Self {
        Self { message, nearest: None }
    }
}

/// What can stand behind a `=`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Scalar {
    Text(String),
    Whole(i64),
    Real(f64),
    Truth(bool),
    /// Not a scalar: `a list` or `a table`.
    Other(&'static str),
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "\"{}\"", text.chars().take(80).collect::<String>()),
            Self::Whole(number) => write!(f, "{number}"),
            Self::Real(number) => write!(f, "{number}"),
            Self::Truth(truth) => write!(f, "{truth}"),
            Self::Other(noun) => f.write_str(noun),
        }
    }
}

/// A value that can be read from a scalar.
pub(crate) trait FromScalar: Sized {
    /// The value, or what was expected instead.
    fn from_scalar(scalar: &Scalar) -> Result<Self, Wrong>;
    /// How an editor is told what may be written.
    fn schema() -> Schema;
}

/// A scalar in a file that should be a `T`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Written<T>(pub(crate) Result<T, Wrong>);

impl<'de, T: FromScalar> Deserialize<'de> for Written<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let scalar = deserializer.deserialize_any(ScalarVisitor)?;
        Ok(Self(T::from_scalar(&scalar)))
    }
}

impl<T: FromScalar> JsonSchema for Written<T> {
    fn schema_name() -> Cow<'static, str> {
        "Written".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        T::schema()
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }
    fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
        Ok(Scalar::Text(text.to_owned()))
    }
    fn visit_bool<E>(self, truth: bool) -> Result<Scalar, E> {
        Ok(Scalar::Truth(truth))
    }
    fn visit_i64<E>(self, number: i64) -> Result<Scalar, E> {
        Ok(Scalar::Whole(number))
    }
    fn visit_u64<E>(self, number: u64) -> Result<Scalar, E> {
        Ok(i64::try_from(number).map_or(Scalar::Real(number as f64), Scalar::Whole))
    }
    fn visit_f64<E>(self, number: f64) -> Result<Scalar, E> {
        Ok(Scalar::Real(number))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Scalar, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other("a list"))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Scalar, A::Error> {
        let mut date = None;
        while let Some(key) = entries.next_key::<String>()? {
            // A date written without quotes comes as a table with one key that no person could write.
            if key.starts_with("$__toml_private") {
                date = Some(entries.next_value::<String>()?);
            } else {
                entries.next_value::<IgnoredAny>()?;
            }
        }
        Ok(date.map_or(Scalar::Other("a table"), Scalar::Text))
    }
}

fn expected(scalar: &Scalar, what: &str) -> Wrong {
    format!("{what} is expected, not {scalar}").into()
}

/// One word out of a closed list.
pub(crate) fn choose<T: Copy>(scalar: &Scalar, words: &[(&'static str, T)]) -> Result<T, Wrong> {
    let names = || words.iter().map(|(name, _)| *name);
    let list = names().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    let Scalar::Text(text) = scalar else {
        return Err(expected(scalar, &format!("one of {list}")));
    };
    words.iter().find(|(name, _)| name == text).map(|(_, value)| *value).ok_or_else(|| Wrong {
        message: format!("{scalar} is not one of {list}"),
        nearest: nearest(text, names()).map(str::to_owned),
    })
}

macro_rules! quantities {
    ($($name:ident, $noun:literal, $example:literal;)*) => {
        $(impl FromScalar for $name {
            fn from_scalar(scalar: &Scalar) -> Result<Self, Wrong> {
                match scalar {
                    Scalar::Text(text) => text.parse().map_err(|fault| format!("{fault}").into()),
                    Scalar::Whole(_) | Scalar::Real(_) => Err(format!(
                        "the number {scalar} has no unit; write \"{scalar} {}\"",
                        <Self as Quantity>::SYMBOL
                    )
                    .into()),
                    other => Err(expected(other, concat!("a ", $noun, " such as \"", $example, "\""))),
                }
            }
            fn schema() -> Schema {
                json_schema!({ "type": "string", "description": concat!("A ", $noun, " with its unit, for example `", $example, "`.") })
            }
        })*
    };
}

quantities! {
    Volts, "voltage", "24 V";
    Amps, "current", "500 mA";
    Ohms, "resistance", "120 mOhm";
    Celsius, "temperature", "85 degC";
    Kelvins, "temperature difference", "4 K";
}

impl FromScalar for Duration {
    fn from_scalar(scalar: &Scalar) -> Result<Self, Wrong> {
        match scalar {
            Scalar::Text(text) => parse_span(text).map_err(|fault| fault.to_string().into()),
            Scalar::Whole(_) | Scalar::Real(_) => {
                Err(format!("the number {scalar} has no unit; write \"{scalar} s\" or \"{scalar} ms\"")
                    .into())
            }
            other => Err(expected(other, "a length of time such as \"200 ms\"")),
        }
    }
    fn schema() -> Schema {
        json_schema!({ "type": "string", "description": "A length of time with its unit, for example `200 ms` or `1 h 30 min`." })
    }
}

impl FromScalar for bool {
    fn from_scalar(scalar: &Scalar) -> Result<Self, Wrong> {
        match scalar {
            Scalar::Truth(truth) => Ok(*truth),
            other => Err(expected(other, "true or false")),
        }
    }
    fn schema() -> Schema {
        json_schema!({ "type": "boolean" })
    }
}

impl FromScalar for u64 {
    fn from_scalar(scalar: &Scalar) -> Result<Self, Wrong> {
        match scalar {
            Scalar::Whole(number) => {
                (*number).try_into().map_err(|_| expected(scalar, "a whole number from 0"))
            }
            other => Err(expected(other, "a whole number")),
        }
    }
    fn schema() -> Schema {
        json_schema!({ "type": "integer", "minimum": 0 })
    }
}

impl FromScalar for f64 {
    fn from_scalar(scalar: &Scalar) -> Result<Self, Wrong> {
        match scalar {
            Scalar::Whole(number) => Ok(*number as f64),
            Scalar::Real(number) if number.is_finite() => Ok(*number),
            other => Err(expected(other, "a number")),
        }
    }
    fn schema() -> Schema {
        json_schema!({ "type": "number" })
    }
}

/// A share of something: `0.1` or `"10 %"`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Ratio(pub(crate) f64);

impl FromScalar for Ratio {
    fn from_scalar(scalar: &Scalar) -> Result<Self, Wrong> {
        match scalar {
            Scalar::Text(text) => parse_ratio(text).map(Self).map_err(Wrong::from),
            other => f64::from_scalar(other)
                .map(Self)
                .map_err(|_| expected(other, "a ratio such as \"80 %\" or 0.8")),
        }
    }
    fn schema() -> Schema {
        json_schema!({ "type": ["string", "number"], "description": "A ratio, for example `80 %` or 0.8." })
    }
}

/// Reads `80 %`, with the per-cent sign: a bare number in quotes could mean either.
pub(crate) fn parse_ratio(text: &str) -> Result<f64, String> {
    let told = |reason: &str| {
        let text: String = text.chars().take(80).collect();
        format!("`{text}` is not a ratio: {reason}; write for example `80 %` or, without quotes, 0.8")
    };
    let number = text.trim().strip_suffix('%').ok_or_else(|| told("the per-cent sign is missing"))?;
    let number: f64 = number.trim().parse().map_err(|_| told("there is no number in front"))?;
    if number.is_finite() { Ok(number / 100.0) } else { Err(told("the number is too large")) }
}

impl FromScalar for String {
    fn from_scalar(scalar: &Scalar) -> Result<Self, Wrong> {
        match scalar {
            Scalar::Text(text) if text.trim().is_empty() => Err("it is empty".to_owned().into()),
            // Longer texts belong into a document; they would make every report unreadable.
            Scalar::Text(text) if text.chars().count() > 1000 => {
                Err("it is longer than 1000 characters".to_owned().into())
            }
            Scalar::Text(text) => Ok(text.clone()),
            Scalar::Whole(_) => Err(format!("a text in quotes is expected; write \"{scalar}\"").into()),
            other => Err(expected(other, "a text in quotes")),
        }
    }
    fn schema() -> Schema {
        json_schema!({ "type": "string", "minLength": 1 })
    }
}

macro_rules! parsed_texts {
    ($($name:ty, $example:literal;)*) => {
        $(impl FromScalar for $name {
            fn from_scalar(scalar: &Scalar) -> Result<Self, Wrong> {
                String::from_scalar(scalar)?.parse().map_err(|fault| format!("{fault}").into())
            }
            fn schema() -> Schema {
                json_schema!({ "type": "string", "examples": [$example] })
            }
        })*
    };
}

parsed_texts! {
    Serial, "0007";
    Revision, "B";
    ProfileName, "line-load-sweep";
    Address, "TCPIP0::10.0.0.5::5025::SOCKET";
}

impl FromScalar for Date {
    fn from_scalar(scalar: &Scalar) -> Result<Self, Wrong> {
        let fault = || expected(scalar, "a day such as \"2027-03-31\"");
        let Scalar::Text(text) = scalar else { return Err(fault()) };
        text.parse().map_err(|_| fault())
    }
    fn schema() -> Schema {
        json_schema!({ "type": "string", "format": "date" })
    }
}

impl FromScalar for FigureName {
    fn from_scalar(scalar: &Scalar) -> Result<Self, Wrong> {
        let Scalar::Text(text) = scalar else { return Err(expected(scalar, "the name of a figure")) };
        let keys = || Self::ALL.iter().map(|name| name.key());
        Self::ALL.iter().copied().find(|name| name.key() == text).ok_or_else(|| Wrong {
            message: format!("{scalar} is no figure"),
            nearest: nearest(text, keys()).map(str::to_owned),
        })
    }
    fn schema() -> Schema {
        let keys: Vec<&str> = Self::ALL.iter().map(|name| name.key()).collect();
        json_schema!({ "type": "string", "enum": keys })
    }
}
