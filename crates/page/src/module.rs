//! The interface of a WebAssembly module.

/// Makes a module of figures and properties: three functions with plain C signatures.
///
/// `gradus_question(length)` gives the place where a question of so many bytes is to be written; `gradus_answer()` answers it, and gives the answer's
/// length; `gradus_answer_at()` gives its place. Question and answer are JSON, the answer with its status as in HTTP. What is not named here is
/// left out of the module by the linker.
///
/// ```ignore
/// gradus_page::module! {
///     figures: ["saturation", "softmax-temperature"],
///     properties: [gradus_activations::PROPERTIES[0], gradus_activations::PROPERTIES[3]],
/// }
/// ```
#[macro_export]
macro_rules! module {
    (figures: [$($figure:literal),* $(,)?], properties: [$($properties:expr),* $(,)?] $(,)?) => {
        static FIGURES: &[$crate::Live] = &[$($crate::live($figure)),*];
        // A constant: of a crate's parts, those that are not named are not taken along.
        const PROPERTIES: &[fn() -> ::std::vec::Vec<$crate::Property>] = &[$($properties),*];
        static PAGE: ::std::sync::LazyLock<$crate::Page> = ::std::sync::LazyLock::new(|| {
            $crate::Page::new(FIGURES, PROPERTIES.iter().flat_map(|part| part()).collect())
        });
        static QUESTION: ::std::sync::Mutex<::std::vec::Vec<u8>> = ::std::sync::Mutex::new(::std::vec::Vec::new());
        static ANSWER: ::std::sync::Mutex<::std::vec::Vec<u8>> = ::std::sync::Mutex::new(::std::vec::Vec::new());

        /// Where a question of so many bytes is to be written.
        #[unsafe(no_mangle)]
        pub extern "C" fn gradus_question(length: usize) -> *mut u8 {
            let mut question = QUESTION.lock().unwrap_or_else(::std::sync::PoisonError::into_inner);
            question.clear();
            question.resize(length, 0);
            question.as_mut_ptr()
        }

        /// Answers the question, and tells how many bytes the answer has.
        #[unsafe(no_mangle)]
        pub extern "C" fn gradus_answer() -> usize {
            let question = QUESTION.lock().unwrap_or_else(::std::sync::PoisonError::into_inner);
            let mut answer = ANSWER.lock().unwrap_or_else(::std::sync::PoisonError::into_inner);
            *answer = $crate::answer(&PAGE, &question);
            answer.len()
        }

        /// Where the answer is.
        #[unsafe(no_mangle)]
        pub extern "C" fn gradus_answer_at() -> *const u8 {
            ANSWER.lock().unwrap_or_else(::std::sync::PoisonError::into_inner).as_ptr()
        }
    };
}
