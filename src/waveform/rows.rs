//! Rows of levels that are compared lane by lane. Left to itself a compiler takes such rows apart, so the widest instructions of
//! the processor at hand are named here, and only here; what they give is the same everywhere.

use super::wide::Work;

/// Levels that are compared side by side.
pub(super) const LANES: usize = 32;

/// A level in each lane.
pub(super) type Row = [u16; LANES];

/// How rows are compared on one kind of processor.
pub(super) trait Compare: Copy {
    /// The lower level of each lane.
    fn lower(self, a: &Row, b: &Row) -> Row;

    /// The higher level of each lane.
    fn higher(self, a: &Row, b: &Row) -> Row;

    /// Lets two rows change places in every lane in which the first is the higher one.
    #[inline(always)]
    fn order(self, a: &mut Row, b: &mut Row) {
        (*a, *b) = (self.lower(a, b), self.higher(a, b));
    }
}

/// Any processor. Its rows are compared out of line: taken into the networks they make a program of half a million instructions.
#[derive(Clone, Copy)]
struct Plain;

impl Compare for Plain {
    #[inline(never)]
    fn lower(self, a: &Row, b: &Row) -> Row {
        std::array::from_fn(|lane| a[lane].min(b[lane]))
    }

    #[inline(never)]
    fn higher(self, a: &Row, b: &Row) -> Row {
        std::array::from_fn(|lane| a[lane].max(b[lane]))
    }
}

#[cfg(target_arch = "x86_64")]
impl Compare for pulp::x86::V3 {
    #[inline(always)]
    fn lower(self, a: &Row, b: &Row) -> Row {
        let ([a0, a1], [b0, b1]): ([pulp::u16x16; 2], [pulp::u16x16; 2]) = (pulp::cast(*a), pulp::cast(*b));
        pulp::cast([self.min_u16x16(a0, b0), self.min_u16x16(a1, b1)])
    }

    #[inline(always)]
    fn higher(self, a: &Row, b: &Row) -> Row {
        let ([a0, a1], [b0, b1]): ([pulp::u16x16; 2], [pulp::u16x16; 2]) = (pulp::cast(*a), pulp::cast(*b));
        pulp::cast([self.max_u16x16(a0, b0), self.max_u16x16(a1, b1)])
    }
}

#[cfg(target_arch = "x86_64")]
impl Compare for pulp::x86::V4 {
    #[inline(always)]
    fn lower(self, a: &Row, b: &Row) -> Row {
        pulp::cast(self.min_u16x32(pulp::cast(*a), pulp::cast(*b)))
    }

    #[inline(always)]
    fn higher(self, a: &Row, b: &Row) -> Row {
        pulp::cast(self.max_u16x32(pulp::cast(*a), pulp::cast(*b)))
    }
}

/// Work that compares rows; all of it `#[inline(always)]`.
pub(super) trait Comparing {
    /// Does it with the comparisons of the processor at hand.
    fn run<C: Compare>(self, compare: C);
}

/// Work and what it compares with.
struct Told<T, C> {
    work: T,
    compare: C,
}

impl<T: Comparing, C: Compare> Work for Told<T, C> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        self.work.run(self.compare);
    }
}

/// Does work that compares rows.
pub(super) fn compare_rows(work: impl Comparing) {
    #[cfg(target_arch = "x86_64")]
    {
        if let Some(compare) = pulp::x86::V4::try_new() {
            return compare.vectorize(Told { work, compare });
        }
        if let Some(compare) = pulp::x86::V3::try_new() {
            return compare.vectorize(Told { work, compare });
        }
    }
    Told { work, compare: Plain }.call();
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    struct Both<'a>(&'a [Row; 2], &'a mut [Row; 2]);

    impl Comparing for Both<'_> {
        #[inline(always)]
        fn run<C: Compare>(self, compare: C) {
            *self.1 = [compare.lower(&self.0[0], &self.0[1]), compare.higher(&self.0[0], &self.0[1])];
        }
    }

    proptest! {
        #[test]
        fn every_processor_compares_as_numbers_do(a in prop::array::uniform32(any::<u16>()), b in prop::array::uniform32(any::<u16>())) {
            let rows = [a, b];
            let naive = [std::array::from_fn(|n| a[n].min(b[n])), std::array::from_fn(|n| a[n].max(b[n]))];
            let mut found = [[0; LANES]; 2];
            compare_rows(Both(&rows, &mut found));
            prop_assert_eq!(found, naive);
            #[cfg(target_arch = "x86_64")]
            if let Some(compare) = pulp::x86::V3::try_new() {
                compare.vectorize(Told { work: Both(&rows, &mut found), compare });
                prop_assert_eq!(found, naive);
            }
            Told { work: Both(&rows, &mut found), compare: Plain }.call();
            prop_assert_eq!(found, naive);
        }
    }
}
