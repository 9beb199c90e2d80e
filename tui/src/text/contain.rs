//! A message that cannot be laid out harms only itself.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
};

thread_local! {
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// What `work` makes, or `None` if it panics. `work` must not leave anything half-changed behind.
pub fn contain<T>(work: impl FnOnce() -> T) -> Option<T> {
    let outer = CONTAINED.replace(true);
    let outcome = catch_unwind(AssertUnwindSafe(work));
    CONTAINED.set(outer);
    outcome.ok()
}

/// Whether a panic on this thread would be contained: then the terminal must stay as it is.
pub fn is_contained() -> bool {
    CONTAINED.get()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_stays_inside() {
        assert_eq!(contain(|| 1), Some(1));
        let outcome = contain(|| {
            assert!(is_contained());
            std::panic::resume_unwind(Box::new("broken"));
        });
        assert_eq!(outcome, None::<()>);
        assert!(!is_contained());
    }
}
