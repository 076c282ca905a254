//! Rows of levels that are compared lane by lane. Left to itself a compiler takes such rows apart, so the widest instructions of
//! the processor at hand are named here, and only here; what they give is the same everywhere.

use super::wide::Work;

/// How rows of so many lanes are compared on one kind of processor.
pub(super) trait Compare<T, const LANES: usize>: Copy {
    /// The lower level of each lane.
    fn lower(self, a: &[T; LANES], b: &[T; LANES]) -> [T; LANES];

    /// The higher level of each lane.
    fn higher(self, a: &[T; LANES], b: &[T; LANES]) -> [T; LANES];

    /// Lets two rows change places in every lane in which the first is the higher one.
    #[inline(always)]
    fn order(self, a: &mut [T; LANES], b: &mut [T; LANES]) {
        (*a, *b) = (self.lower(a, b), self.higher(a, b));
    }
}

/// Any processor. Its rows are compared out of line: taken into the networks they make a program of half a million instructions.
#[derive(Clone, Copy)]
struct Plain;

impl<T: Copy + Ord, const LANES: usize> Compare<T, LANES> for Plain {
    #[inline(never)]
    fn lower(self, a: &[T; LANES], b: &[T; LANES]) -> [T; LANES] {
        std::array::from_fn(|lane| a[lane].min(b[lane]))
    }

    #[inline(never)]
    fn higher(self, a: &[T; LANES], b: &[T; LANES]) -> [T; LANES] {
        std::array::from_fn(|lane| a[lane].max(b[lane]))
    }
}

/// Rows that are one register of a processor each.
#[cfg(target_arch = "x86_64")]
macro_rules! compare_registers {
    ($processor:ty; $($level:ty, $lanes:literal: $lower:ident, $higher:ident;)*) => {$(
        impl Compare<$level, $lanes> for $processor {
            #[inline(always)]
            fn lower(self, a: &[$level; $lanes], b: &[$level; $lanes]) -> [$level; $lanes] {
                pulp::cast(self.$lower(pulp::cast(*a), pulp::cast(*b)))
            }

            #[inline(always)]
            fn higher(self, a: &[$level; $lanes], b: &[$level; $lanes]) -> [$level; $lanes] {
                pulp::cast(self.$higher(pulp::cast(*a), pulp::cast(*b)))
            }
        }
    )*};
}

#[cfg(target_arch = "x86_64")]
compare_registers!(pulp::x86::V3; u16, 16: min_u16x16, max_u16x16; u8, 32: min_u8x32, max_u8x32;);
#[cfg(target_arch = "x86_64")]
compare_registers!(pulp::x86::V4; u16, 32: min_u16x32, max_u16x32; u8, 64: min_u8x64, max_u8x64;);

/// Work that compares rows of words and of bytes, of which a register holds twice as many; all of it `#[inline(always)]`.
pub(super) trait Comparing {
    /// Does it with the comparisons of the processor at hand.
    fn run<const WORDS: usize, const BYTES: usize, C: Compare<u16, WORDS> + Compare<u8, BYTES>>(
        self,
        compare: C,
    );
}

/// Work and what it compares with.
struct Told<T, C, const WORDS: usize, const BYTES: usize> {
    work: T,
    compare: C,
}

impl<T, C, const WORDS: usize, const BYTES: usize> Work for Told<T, C, WORDS, BYTES>
where
    T: Comparing,
    C: Compare<u16, WORDS> + Compare<u8, BYTES>,
{
    type Output = ();

    #[inline(always)]
    fn call(self) {
        self.work.run::<WORDS, BYTES, C>(self.compare);
    }
}

/// Does work that compares rows.
pub(super) fn compare_rows(work: impl Comparing) {
    #[cfg(target_arch = "x86_64")]
    {
        if let Some(compare) = pulp::x86::V4::try_new() {
            return compare.vectorize(Told::<_, _, 32, 64> { work, compare });
        }
        if let Some(compare) = pulp::x86::V3::try_new() {
            return compare.vectorize(Told::<_, _, 16, 32> { work, compare });
        }
    }
    compare_plainly(work);
}

/// The same as on a processor that has nothing wide.
pub(super) fn compare_plainly(work: impl Comparing) {
    Told::<_, _, 16, 32> { work, compare: Plain }.call();
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The lower and the higher ones of two rows, of as many lanes as the processor takes.
    struct Both<'a>([&'a [u16]; 2], [&'a [u8]; 2], &'a mut Found);

    type Found = (Vec<[u16; 2]>, Vec<[u8; 2]>);

    fn both<T: Copy + Default, const LANES: usize>(
        compare: impl Compare<T, LANES>,
        rows: [&[T]; 2],
    ) -> Vec<[T; 2]> {
        let [a, b] = rows.map(|row| *row.first_chunk::<LANES>().unwrap());
        compare.lower(&a, &b).into_iter().zip(compare.higher(&a, &b)).map(|(low, high)| [low, high]).collect()
    }

    impl Comparing for Both<'_> {
        #[inline(always)]
        fn run<const WORDS: usize, const BYTES: usize, C: Compare<u16, WORDS> + Compare<u8, BYTES>>(
            self,
            compare: C,
        ) {
            *self.2 = (both::<u16, WORDS>(compare, self.0), both::<u8, BYTES>(compare, self.1));
        }
    }

    fn naive<T: Copy + Ord>(a: &[T], b: &[T], count: usize) -> Vec<[T; 2]> {
        a.iter().zip(b).take(count).map(|(a, b)| [*a.min(b), *a.max(b)]).collect()
    }

    proptest! {
        #[test]
        fn every_processor_compares_as_numbers_do(
            words in prop::collection::vec(any::<u16>(), 64), bytes in prop::collection::vec(any::<u8>(), 128),
        ) {
            let (words, bytes) = (words.split_at(32), bytes.split_at(64));
            let mut found = Found::default();
            let mut kinds: Vec<fn(Both<'_>)> = vec![|work| compare_rows(work), |work| compare_plainly(work)];
            #[cfg(target_arch = "x86_64")]
            kinds.push(|work| match pulp::x86::V3::try_new() {
                Some(compare) => compare.vectorize(Told::<_, _, 16, 32> { work, compare }),
                None => compare_plainly(work),
            });
            for kind in kinds {
                kind(Both([words.0, words.1], [bytes.0, bytes.1], &mut found));
                prop_assert_eq!(&found.0, &naive(words.0, words.1, found.0.len()));
                prop_assert_eq!(&found.1, &naive(bytes.0, bytes.1, found.1.len()));
                prop_assert!(found.0.len() >= 16 && found.1.len() >= 32);
            }
        }
    }
}
