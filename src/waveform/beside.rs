//! Two pieces of work that do not need each other, on two processors.

/// Runs `other` on a thread of its own while `own` runs here. What they give does not depend on that.
pub(super) fn beside<A: Send, B>(other: impl FnOnce() -> A + Send, own: impl FnOnce() -> B) -> (A, B) {
    std::thread::scope(|scope| {
        let other = scope.spawn(other);
        let own = own();
        match other.join() {
            Ok(other) => (other, own),
            // As if it had happened here.
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::beside;

    #[test]
    fn both_answers_come_back_each_in_its_place() {
        let words = ["one", "two"];
        assert_eq!(beside(|| words[0].len(), || words[1]), (3, "two"));
    }

    #[test]
    fn a_panic_beside_is_a_panic_here() {
        let both = std::panic::catch_unwind(|| beside(|| panic!("beside"), || 1));
        assert_eq!(both.unwrap_err().downcast_ref::<&str>(), Some(&"beside"));
    }
}
