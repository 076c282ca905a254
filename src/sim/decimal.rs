//! Numbers with a fixed number of decimals, as an instrument shows them.

/// Powers of ten by which a value is taken apart.
const PARTS: [u32; 7] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000];

/// What `format!("{value:.decimals$}")` gives, letter by letter. A soak shows some ten million values, and the general way
/// takes many times as long where a value has just these decimals.
pub(crate) fn fixed(value: f64, decimals: usize) -> String {
    let short = PARTS.get(decimals).and_then(|parts| nearest(value.abs(), *parts).zip(Some(*parts)));
    let Some((count, parts)) = short else { return format!("{value:.decimals$}") };
    let (mut whole, mut part) = (count / parts, count % parts);
    let mut digits = [0; 24];
    let mut first = digits.len();
    let mut write = |byte| {
        first -= 1;
        digits[first] = byte;
    };
    for _ in 0..decimals {
        write(b'0' + (part % 10) as u8);
        part /= 10;
    }
    if decimals > 0 {
        write(b'.');
    }
    loop {
        write(b'0' + (whole % 10) as u8);
        whole /= 10;
        if whole == 0 {
            break;
        }
    }
    if value.is_sign_negative() {
        write(b'-');
    }
    std::str::from_utf8(&digits[first..]).unwrap_or_default().to_owned()
}

/// How many `parts` of one the size has, rounded; `None` where it has too many, or where it stands so near the middle between
/// two that the rounding of the product could turn it.
fn nearest(size: f64, parts: u32) -> Option<u32> {
    let scaled = size * f64::from(parts);
    if scaled < 1e9 {
        let below = scaled as u32;
        let over = scaled - f64::from(below);
        ((over - 0.5).abs() > 1e-6).then(|| below + u32::from(over > 0.5))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ties_zeros_and_what_is_no_number_are_written_as_the_language_writes_them() {
        let odd = [
            0.0,
            -0.0,
            0.5,
            1.5,
            2.5,
            -0.00005,
            0.00015,
            23.0625,
            -0.0625,
            1e9,
            1e300,
            f64::NAN,
            f64::INFINITY,
        ];
        for value in odd {
            for decimals in 0..9 {
                assert_eq!(fixed(value, decimals), format!("{value:.decimals$}"), "{value} {decimals}");
            }
        }
    }

    proptest! {
        #[test]
        fn every_value_is_written_as_the_language_writes_it(
            value in prop_oneof![any::<f64>(), -40.0..40.0, -1e-3..1e-3, (-4_000_000..4_000_000).prop_map(|n| f64::from(n) / 8e4)],
            decimals in 0_usize..8,
        ) {
            prop_assert_eq!(fixed(value, decimals), format!("{value:.decimals$}"));
        }
    }
}
