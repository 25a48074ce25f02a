mod dispatch;
pub use dispatch::vectorize;
