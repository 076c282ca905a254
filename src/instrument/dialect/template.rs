//! Messages with named placeholders: `:SOUR{channel}:VOLT {value:.3}`, `OUTP {state:ON|OFF}`. They are checked when a family is
//! read, so that nothing can go wrong when a message is rendered.

use std::fmt::Write as _;

/// The longest template, in bytes.
const LONGEST: usize = 256;

macro_rules! placeholders {
    ($($(#[$doc:meta])* $name:ident = $word:literal),+ $(,)?) => {
        /// What can be filled in.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Placeholder { $($(#[$doc])* $name),+ }

        impl Placeholder {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];
            /// The word between the braces.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word),+ }
            }
        }
    };
}

placeholders! {
    /// The number of the output or channel, from 1.
    Channel = "channel",
    /// A quantity in its SI unit; `{value:.3}` with three decimals, `{value:e}` as a power of ten.
    Value = "value",
    /// One of two: `{state:ON|OFF}` gives `ON` for yes and `OFF` for no.
    State = "state",
    /// A whole number.
    Count = "count",
    /// The first sample of a transfer, from 1.
    Start = "start",
    /// The last sample of a transfer.
    Stop = "stop",
}

/// What is filled in for one placeholder.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fill {
    /// For `{channel}`.
    Channel(u8),
    /// For `{value}`.
    Value(f64),
    /// For `{state}`.
    State(bool),
    /// For `{count}`.
    Count(u64),
    /// For `{start}`.
    Start(u64),
    /// For `{stop}`.
    Stop(u64),
}

impl Fill {
    const fn placeholder(self) -> Placeholder {
        match self {
            Self::Channel(_) => Placeholder::Channel,
            Self::Value(_) => Placeholder::Value,
            Self::State(_) => Placeholder::State,
            Self::Count(_) => Placeholder::Count,
            Self::Start(_) => Placeholder::Start,
            Self::Stop(_) => Placeholder::Stop,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Plain(Placeholder),
    Decimals(usize),
    Exponent,
    Choice(String, String),
}

impl Piece {
    const fn placeholder(&self) -> Option<Placeholder> {
        match self {
            Self::Text(_) => None,
            Self::Plain(placeholder) => Some(*placeholder),
            Self::Decimals(_) | Self::Exponent => Some(Placeholder::Value),
            Self::Choice(..) => Some(Placeholder::State),
        }
    }
}

/// A checked message with placeholders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    pieces: Vec<Piece>,
}

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct TemplateError {
    /// What is wrong and what was expected.
    pub reason: String,
    /// The word that was written where a placeholder's name was expected.
    pub unknown: Option<String>,
}

fn wrong(reason: impl Into<String>) -> TemplateError {
    TemplateError { reason: reason.into(), unknown: None }
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// A brace without its other half, an unknown placeholder, a format that does not fit it, control characters, nothing at
    /// all or far too much.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        if text.trim().is_empty() {
            return Err(wrong("it is empty; write the message that is sent"));
        }
        if text.len() > LONGEST {
            return Err(wrong(format!("it is longer than {LONGEST} bytes")));
        }
        if text.chars().any(char::is_control) {
            return Err(wrong(
                "control characters have no place in a message; the line's end is added by the link",
            ));
        }
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find(['{', '}']) {
            if rest[open..].starts_with('}') {
                return Err(wrong("a `}` without its `{`"));
            }
            if open > 0 {
                pieces.push(Piece::Text(rest[..open].to_owned()));
            }
            let inside = &rest[open + 1..];
            let close = inside.find('}').ok_or_else(|| wrong("a `{` without its `}`"))?;
            pieces.push(piece(&inside[..close])?);
            rest = &inside[close + 1..];
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(Self { pieces })
    }

    /// The placeholders in it.
    pub fn placeholders(&self) -> impl Iterator<Item = Placeholder> {
        self.pieces.iter().filter_map(Piece::placeholder)
    }

    /// Whether the message asks something.
    #[must_use]
    pub fn asks(&self) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::Text(text) if text.contains('?')))
    }

    /// The message with everything filled in; the missing placeholder if something was not given.
    ///
    /// # Errors
    /// The placeholder for which nothing was given.
    pub fn render(&self, fills: &[Fill]) -> Result<String, Placeholder> {
        // Nearly every message is as short.
        let mut message = String::with_capacity(32);
        for piece in &self.pieces {
            let fill = match piece.placeholder() {
                None => None,
                Some(wanted) => Some(*fills.iter().find(|fill| fill.placeholder() == wanted).ok_or(wanted)?),
            };
            write_piece(&mut message, piece, fill);
        }
        Ok(message)
    }
}

fn write_piece(message: &mut String, piece: &Piece, fill: Option<Fill>) {
    // Writing into a String cannot fail.
    let _ = match (piece, fill) {
        (Piece::Text(text), _) => message.write_str(text),
        (Piece::Decimals(decimals), Some(Fill::Value(value))) => {
            // `-0.000` is a number that some parsers refuse.
            let rounded = format!("{value:.decimals$}");
            let negative_zero =
                rounded.starts_with('-') && !rounded.contains(|c: char| ('1'..='9').contains(&c));
            message.write_str(if negative_zero { &rounded[1..] } else { &rounded })
        }
        (Piece::Exponent, Some(Fill::Value(value))) => {
            message.write_str(&format!("{value:.6e}").replace('e', "E"))
        }
        (Piece::Choice(yes, no), Some(Fill::State(state))) => message.write_str(if state { yes } else { no }),
        (_, Some(Fill::Channel(channel))) => write!(message, "{channel}"),
        (_, Some(Fill::Value(value))) => write!(message, "{value}"),
        (_, Some(Fill::Count(count) | Fill::Start(count) | Fill::Stop(count))) => write!(message, "{count}"),
        (_, Some(Fill::State(_)) | None) => Ok(()),
    };
}

fn piece(inside: &str) -> Result<Piece, TemplateError> {
    let (name, format) = match inside.split_once(':') {
        Some((name, format)) => (name, Some(format)),
        None => (inside, None),
    };
    let known = Placeholder::ALL.iter().find(|placeholder| placeholder.as_str() == name);
    let Some(placeholder) = known else {
        let names: Vec<String> = Placeholder::ALL.iter().map(|p| format!("`{{{}}}`", p.as_str())).collect();
        return Err(TemplateError {
            reason: format!("`{{{name}}}` is no placeholder; there are {}", names.join(", ")),
            unknown: Some(name.to_owned()),
        });
    };
    match (placeholder, format) {
        (Placeholder::State, Some(format)) => match format.split_once('|') {
            Some((yes, no)) if !yes.is_empty() && !no.is_empty() && !no.contains('|') => {
                Ok(Piece::Choice(yes.to_owned(), no.to_owned()))
            }
            _ => Err(wrong("`{state}` needs two words: `{state:ON|OFF}`")),
        },
        (Placeholder::State, None) => Err(wrong("`{state}` needs two words: `{state:ON|OFF}`")),
        (Placeholder::Value, Some("e")) => Ok(Piece::Exponent),
        (Placeholder::Value, Some(format)) => {
            let decimals = format.strip_prefix('.').and_then(|digits| digits.parse().ok());
            decimals.filter(|decimals| *decimals <= 12).map(Piece::Decimals).ok_or_else(|| {
                wrong(format!(
                    "`{format}` is no format of a value; write `{{value:.3}}`, `{{value:e}}` or `{{value}}`"
                ))
            })
        }
        (placeholder, Some(_)) => Err(wrong(format!("`{{{}}}` takes no format", placeholder.as_str()))),
        (placeholder, None) => Ok(Piece::Plain(*placeholder)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn messages_are_rendered_as_the_instrument_wants_them() {
        let fills =
            [Fill::Channel(2), Fill::Value(12.3456), Fill::State(true), Fill::Start(1), Fill::Stop(250_000)];
        let table = [
            (":SOUR{channel}:VOLT {value:.3}", ":SOUR2:VOLT 12.346"),
            ("VOLT {value},(@{channel})", "VOLT 12.3456,(@2)"),
            ("TIM:SCAL {value:e}", "TIM:SCAL 1.234560E1"),
            ("OUTP CH{channel},{state:ON|OFF}", "OUTP CH2,ON"),
            ("WAV:STAR {start};STOP {stop}", "WAV:STAR 1;STOP 250000"),
            ("*CLS", "*CLS"),
        ];
        for (template, message) in table {
            assert_eq!(Template::parse(template).unwrap().render(&fills).unwrap(), message);
        }
        let tiny = Template::parse("V {value:.2}").unwrap();
        assert_eq!(tiny.render(&[Fill::Value(-0.001)]).unwrap(), "V 0.00");
        assert_eq!(tiny.render(&[]), Err(Placeholder::Value));
    }

    #[test]
    fn a_bad_template_says_what_is_wrong() {
        let told: Vec<String> =
            ["", "V {volts}", "V {value", "V value}", "V {value:3}", "O {state}", "{count:.1}", "a\nb"]
                .iter()
                .map(|text| Template::parse(text).unwrap_err().to_string())
                .collect();
        insta::assert_snapshot!(told.join("\n"), @"
        it is empty; write the message that is sent
        `{volts}` is no placeholder; there are `{channel}`, `{value}`, `{state}`, `{count}`, `{start}`, `{stop}`
        a `{` without its `}`
        a `}` without its `{`
        `3` is no format of a value; write `{value:.3}`, `{value:e}` or `{value}`
        `{state}` needs two words: `{state:ON|OFF}`
        `{count}` takes no format
        control characters have no place in a message; the line's end is added by the link
        ");
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC{0,40}") {
            let _ = Template::parse(&text);
        }
    }
}
