//! Lines of text from a sensor that just sends, bounded and read by a pattern that the rig names.

/// Where in a line the value stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinePattern {
    /// `key=value` somewhere in the line, e.g. `board=41.25`.
    KeyValue {
        /// The key.
        key: String,
    },
    /// A column of a line of separated values, counted from 0.
    CsvColumn {
        /// Which column.
        column: usize,
        /// What separates columns.
        separator: char,
    },
    /// A member of a JSON object.
    JsonKey {
        /// The member's name; `a.b` looks inside.
        key: String,
    },
    /// The first number of the line.
    Plain,
}
