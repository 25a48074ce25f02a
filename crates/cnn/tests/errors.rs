//! What is refused, with the numbers that came and the nearest that would do; and what the compiler can compute.
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests are tests too

use gradus_cnn::{ConvShape, Geometry, ReceptiveField, Window};

const MOST: usize = usize::MAX;

/// The message of an error, which must be this one.
#[track_caller]
fn refuses<T: std::fmt::Debug>(result: Result<T, Geometry>, message: &str) {
    assert_eq!(result.unwrap_err().to_string(), message);
}

#[test]
fn a_window_of_nothing_or_over_nothing_is_refused() {
    refuses(Window::new(0).output(4), "size = 0 (allowed: at least 1)");
    refuses(Window::new(3).stride(0).output(4), "stride = 0 (allowed: at least 1)");
    refuses(Window::new(3).dilation(0).output(4), "dilation = 0 (allowed: at least 1)");
    refuses(Window::new(1).stride(0).output_ceil(4), "stride = 0 (allowed: at least 1)");
    refuses(Window::new(3).padded(5).output(0), "elements = 0 (allowed: at least 1)");
    refuses(Window::new(3).transposed_output(0, 0), "elements = 0 (allowed: at least 1)");
    refuses(Window::new(3).same_aligned(0), "elements = 0 (allowed: at least 1)");
    refuses(Window::new(3).inputs_for(0), "output = 0 (allowed: at least 1)");
    refuses(Window::new(3).paddings_for(0, 1), "elements = 0 (allowed: at least 1)");
    refuses(Window::new(0).same(), "size = 0 (allowed: at least 1)");
}

#[test]
fn a_window_that_does_not_fit_names_what_would() {
    refuses(
        Window::new(4).dilation(2).padded_by(0, 1).output(4),
        "a window of extent 7 over 4 elements with padding 0+1 (allowed: at least 7 in all; \
             the nearest legal padding is 3 in all)",
    );
    // Rounded up, the window may stick out by one.
    refuses(
        Window::new(7).stride(2).output_ceil(4),
        "a window of extent 7 over 4 elements with padding 0+0 (allowed: at least 6 in all; \
             the nearest legal padding is 2 in all)",
    );
    assert_eq!(Window::new(7).stride(2).output_ceil(6), Ok(1));
    let stack = ReceptiveField::of(&[Window::new(3).stride(2), Window::new(3)]).unwrap();
    refuses(stack.output(6), "6 elements for a stack of windows (allowed: at least 7)");
    assert_eq!(stack.output(7), Ok(1));
    refuses(stack.reach(7, 1), "window 1 (allowed: 0..1)");
    refuses(Window::new(3).taps(7, 5), "window 5 (allowed: 0..5)");
}

#[test]
fn questions_without_an_answer_name_the_nearest() {
    refuses(
        Window::new(3).stride(2).same(),
        "an output as long as the input with stride 2 (allowed: stride 1; with a stride, ask \
             for the input's size over it)",
    );
    refuses(
        Window::new(3).padded(4).inputs_for(6),
        "6 windows over 1 element with padding 8 in all (allowed: at least 7 windows)",
    );
    assert_eq!(Window::new(3).padded(4).inputs_for(7), Ok(1..=1));
    refuses(
        Window::new(3).paddings_for(9, 6),
        "6 windows over 9 elements with padding 0 in all (allowed: at least 7 windows)",
    );
    refuses(
        Window::new(3).stride(2).transposed_output(4, 2),
        "output padding 2 with stride 2 and dilation 1 (allowed: below 2, the larger of the two)",
    );
    assert_eq!(Window::new(3).stride(2).dilation(3).transposed_output(1, 2), Ok(9));
    refuses(
        Window::new(3).padded(2).transposed_output(2, 0),
        "padding 2+2 cut off from 4 elements (allowed: at most 3 in all)",
    );
}

#[test]
fn numbers_too_large_to_count_name_the_largest_that_would_do() {
    let too_large = |name, value, most| Geometry::TooLarge { name, value, most };
    assert_eq!(Window::new(3).dilation(MOST).extent(), Err(too_large("dilation", MOST, MOST / 2)));
    assert_eq!(Window::new(3).dilation(MOST / 2).extent(), Ok(MOST), "the largest that the error names");
    // Three gaps of a third of the largest number reach it exactly, and the first tap counts too.
    assert_eq!(Window::new(4).dilation(MOST).extent(), Err(too_large("dilation", MOST, MOST / 3 - 1)));
    assert_eq!(Window::new(1).dilation(MOST).extent(), Ok(1));
    assert_eq!(Window::new(MOST).extent(), Ok(MOST));
    assert_eq!(Window::new(1).padded(1).output(MOST), Err(too_large("elements", MOST, MOST - 2)));
    assert_eq!(Window::new(1).padded(1).output(MOST - 2), Ok(MOST));
    assert_eq!(Window::new(1).padded_by(2, MOST).output(1), Err(too_large("padding after", MOST, MOST - 2)));
    let transposed = Window::new(3).stride(4);
    let most = (MOST - 3) / 4 + 1;
    assert_eq!(transposed.transposed_output(MOST, 0), Err(too_large("elements", MOST, most)));
    assert!(transposed.transposed_output(most, 0).is_ok());
    assert_eq!(transposed.inputs_for(MOST), Err(too_large("output", MOST, most)));
    assert!(transposed.inputs_for(most).is_ok());
    let stack = ReceptiveField::of(&[Window::new(1).stride(MOST / 4); 2]);
    assert_eq!(stack, Err(too_large("stride", MOST / 4, 4)));
}

#[test]
fn a_layer_names_the_channels_and_the_groups() {
    let windows = [Window::new(3)];
    refuses(ConvShape::new(0, 4, windows).parameters(), "in channels = 0 (allowed: at least 1)");
    refuses(ConvShape::new(4, 0, windows).parameters(), "out channels = 0 (allowed: at least 1)");
    refuses(ConvShape::new(4, 4, windows).groups(0).parameters(), "groups = 0 (allowed: at least 1)");
    refuses(
        ConvShape::new(64, 96, windows).groups(12).counts(1, [9]),
        "12 groups of 64 channels in and 96 out (allowed: a divisor of both; the nearest is 8)",
    );
    refuses(ConvShape::new(2, 2, [Window::new(0)]).parameters(), "size = 0 (allowed: at least 1)");
    let biased = ConvShape::new(1, MOST, [Window::new(1)]);
    let error = Geometry::TooLarge { name: "biases", value: MOST, most: 0 };
    assert_eq!(biased.parameters(), Err(error));
    assert_eq!(biased.without_bias().parameters(), Ok(MOST));
    let counts = ConvShape::new(1, 1, [Window::new(1)]).without_bias().counts(1, [MOST / 4]).unwrap();
    refuses(
        counts.memory(8),
        &format!(
            "bytes = 8 (allowed: at most {}, or a result is too large to count)",
            MOST / (MOST / 4 * 2 + 1)
        ),
    );
}

#[test]
fn an_error_of_large_channels_is_cheap() {
    let large = ConvShape::new(MOST, MOST, [Window::new(1)]).groups(MOST - 1);
    let start = std::time::Instant::now();
    assert!(matches!(large.parameters(), Err(Geometry::Groups { .. })));
    // A search of all pairs of divisors would take four thousand million divisions.
    assert!(start.elapsed().as_secs() < 5);
}

#[test]
fn a_geometry_passes_through_an_operation() {
    fn operation() -> gradus_tensor::Result<usize> {
        Ok(Window::new(5).output(4)?)
    }
    let text = operation().unwrap_err().to_string();
    assert!(
        ["window", "extent 5", "4 elements", "at least 5"].iter().all(|part| text.contains(part)),
        "{text}"
    );
    let text = Window::new(5).output(4).unwrap_err().during("conv2d").to_string();
    assert!(text.starts_with("conv2d: "), "{text}");
}

/// Computed by the compiler: a geometry that is impossible does not compile.
const HALVED: usize = match Window::new(3).stride(2).padded(1).output(224) {
    Ok(output) => output,
    Err(_) => panic!("the window does not fit"),
};
const KEPT: Window = match Window::new(4).same() {
    Ok(window) => window,
    Err(_) => panic!("the size can't be kept"),
};

#[test]
fn the_compiler_can_compute_shapes() {
    assert_eq!(HALVED, 112);
    let kept: [u8; 7] = [0; match KEPT.output(7) {
        Ok(output) => output,
        Err(_) => 0,
    }];
    assert_eq!(kept.len(), 7);
}
