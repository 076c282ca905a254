//! The program's door: everything is in the library.
fn main() {}
