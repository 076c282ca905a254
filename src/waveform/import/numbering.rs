//! The column that numbers the samples: where the head gives the interval, it alone shows rows that are missing or stand twice.

use super::ImportError;

/// How the numbers of the samples go from row to row, without keeping them.
#[derive(Debug, Default)]
pub(super) struct Numbering {
    first: Option<f64>,
    last: f64,
    /// By how much they rise from the first row to the second.
    step: Option<f64>,
    /// The first other distance, and the line where it ends.
    odd: Option<(f64, u64)>,
}

impl Numbering {
    /// Takes the number of the next row in.
    ///
    /// # Errors
    /// It is lower than the one before.
    pub(super) fn push(&mut self, number: f64, line: u64) -> Result<(), ImportError> {
        if self.first.is_none() {
            self.first = Some(number);
        } else {
            let distance = number - self.last;
            if distance < 0.0 {
                return Err(ImportError::line(
                    line,
                    format!(
                        "the numbers of the samples run backwards, from {} to {number}: several records in one file, or rows out of \
                         order",
                        self.last
                    ),
                ));
            }
            let step = *self.step.get_or_insert(distance);
            if distance != step && self.odd.is_none() {
                self.odd = Some((distance, line));
            }
        }
        self.last = number;
        Ok(())
    }

    /// The first number, and by how much they rise from row to row.
    pub(super) fn course(&self) -> Option<(f64, f64)> {
        self.first.zip(self.step.filter(|step| *step > 0.0))
    }

    /// How the numbers do not rise evenly, if they do not.
    pub(super) fn uneven(&self) -> Option<String> {
        let (distance, line) = self.odd?;
        Some(format!(
            "time is not uniform: the numbers of the samples rise by {} a row, and by {distance} at line {line}: rows are missing or \
             stand twice",
            self.step.unwrap_or(0.0)
        ))
    }
}
