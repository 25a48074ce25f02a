pub fn vectorize<R>(f: impl FnOnce() -> R) -> R { f() }
