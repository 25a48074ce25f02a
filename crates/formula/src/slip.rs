//! The switch of slips that were compiled in, to see which property notices which.
//!
//! The book compiles copies of the crates in which a function has a second body, with a slip that students make, beside its own:
//! `if gradus_formula::slipped(7) { … } else { … }`. In the crates themselves there is no such thing.

use std::sync::atomic::{AtomicU32, Ordering};

static SLIP: AtomicU32 = AtomicU32::new(0);

/// Whether this slip is switched on.
#[inline]
pub fn slipped(number: u32) -> bool {
    SLIP.load(Ordering::Relaxed) == number
}

/// Switches a slip on, and the one before off; 0 is none.
///
/// ```
/// use gradus_formula::{slip, slipped};
/// let square = |x: f64| if slipped(7) { 2.0 * x } else { x * x };
/// assert_eq!(square(3.0), 9.0);
/// slip(7);
/// assert_eq!(square(3.0), 6.0);
/// slip(0);
/// assert_eq!(square(3.0), 9.0);
/// ```
pub fn slip(number: u32) {
    SLIP.store(number, Ordering::Relaxed);
}
