//! What a scope says of a record before it hands it over: ten numbers, in the same order with several makers.

/// The ten numbers, as far as they are needed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Preamble {
    pub(super) points: u64,
    pub(super) x_increment: f64,
    pub(super) x_origin: f64,
    pub(super) y_increment: f64,
    pub(super) y_origin: f64,
    pub(super) y_reference: f64,
}

/// The most samples a record may have; no scope of these families has a memory of more.
const MOST_POINTS: f64 = 1e9;

impl Preamble {
    /// Reads `format,type,points,count,xinc,xorigin,xref,yinc,yorigin,yref`.
    ///
    /// # Errors
    /// What is wrong with it, for a person.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let numbers: Option<Vec<f64>> = text
            .split(',')
            .map(|field| {
                field.trim().parse::<f64>().ok().filter(|number| number.is_finite() && number.abs() < 9e36)
            })
            .collect();
        let shown: String = text.chars().take(160).collect();
        let Some([format, _, points, _, x_increment, x_origin, _, y_increment, y_origin, y_reference]) =
            numbers.as_deref().and_then(|numbers| <[f64; 10]>::try_from(numbers).ok())
        else {
            return Err(format!("the preamble `{shown}` is not ten numbers"));
        };
        if format != 0.0 {
            return Err(format!("the preamble `{shown}` does not speak of bytes"));
        }
        if !(1.0..=MOST_POINTS).contains(&points) || x_increment <= 0.0 || y_increment <= 0.0 {
            return Err(format!("the preamble `{shown}` has no samples or no scale"));
        }
        Ok(Self { points: points as u64, x_increment, x_origin, y_increment, y_origin, y_reference })
    }

    /// Whether both speak of one record; the number of points is that of the last transfer with some scopes.
    pub(super) fn is_of_the_same_record(&self, other: &Self) -> bool {
        Self { points: 0, ..*self } == Self { points: 0, ..*other }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_ten_numbers_are_read() {
        let read = Preamble::parse("0,2,6000,1,1.000000e-09,-3.000000e-06,0,4.000000e-02,-25,127").unwrap();
        assert_eq!(read.points, 6000);
        assert_eq!((read.x_increment, read.x_origin), (1e-9, -3e-6));
        assert_eq!((read.y_increment, read.y_origin, read.y_reference), (0.04, -25.0, 127.0));
    }

    #[test]
    fn what_is_no_preamble_of_bytes_is_refused() {
        for text in [
            "",
            "0,2,6000",
            "1,2,6000,1,1e-9,0,0,0.04,0,127",
            "0,2,0,1,1e-9,0,0,0.04,0,127",
            "0,2,6000,1,1e-9,0,0,9.9e37,0,127",
            "0,2,6000,1,-1e-9,0,0,0.04,0,127",
            "0,2,6000,1,1e-9,0,0,0.04,0,127,5",
        ] {
            assert!(Preamble::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "[0-9eE,.+-]{0,60}") {
            let _ = Preamble::parse(&text);
        }
    }
}
