//! The derivation of the chapters, line by line: what a separable convolution saves.

use crate::{Graph, Separable, Start, Summary};
use gradus_cnn::{ConvShape, Window};
use gradus_formula::{Derivation, Draw, Property};

pub(super) fn properties() -> Vec<Property> {
    vec![saved().property()]
}

/// The products of a separable convolution, over those of a full one.
fn saved() -> Derivation {
    Derivation::new(
        "xception-separable.derivation",
        &["xception-separable"],
        "The products of a separable convolution, as a share of the full one’s",
    )
    .draw(Draw::size("C", 1..=40).limited(1.0..=40.0))
    .draw(Draw::size("K", 1..=40).limited(1.0..=40.0))
    .within("rounding", 2e-16)
    .line(
        r"\frac{\#(c, u, v) + \#(k, c)}{\#(k, c, u, v)}, \qquad c \le C, \quad k \le K, \quad u, v \le F,
            \quad F = 3",
        "what is wanted, for one pixel; the products counted one by one",
        |case| {
            let (maps, outputs, taps) = (0..case.size("C"), 0..case.size("K"), 0..9);
            let look = maps.clone().flat_map(|c| taps.clone().map(move |tap| (c, tap))).count();
            let mixed = || outputs.clone().flat_map(|k| maps.clone().map(move |c| (k, c)));
            let full = mixed().flat_map(|(k, c)| taps.clone().map(move |tap| (k, c, tap))).count();
            Ok(vec![(look + mixed().count()) as f64 / full as f64])
        },
    )
    .line(
        r"\frac{C F^2 + K C}{K C F^2}",
        r"looking: $F^2$ products for each map that comes in; mixing: $C$ for each that goes out",
        |case| {
            let (c, k) = (case.real("C"), case.real("K"));
            Ok(vec![(c * 9.0 + k * c) / (k * c * 9.0)])
        },
    )
    .line(
        r"\frac{C F^2}{K C F^2} + \frac{K C}{K C F^2}",
        "two fractions: what looking costs, what mixing costs",
        |case| {
            let (c, k) = (case.real("C"), case.real("K"));
            let full = k * c * 9.0;
            Ok(vec![c * 9.0 / full + k * c / full])
        },
    )
    .line(r"\frac1K + \frac{1}{F^2}", r"cancelled; $C$ has gone", |case| {
        Ok(vec![1.0 / case.real("K") + 1.0 / 9.0])
    })
    .line(
        r"\frac{\text{products of the layer}}{\text{products of the full convolution}}",
        "as the library counts both, for an image of four pixels",
        |case| {
            let (c, k) = (case.size("C"), case.size("K"));
            let layer = Separable::<f32>::new(c, k, &mut Start::Blank)?;
            let products = Summary::of("", &Graph::of(&layer, [c, 2, 2])?).multiplications;
            let full =
                ConvShape::new(c, k, [Window::new(3).padded(1); 2]).without_bias().counts(1, [2, 2])?;
            Ok(vec![products as f64 / full.multiplications as f64])
        },
    )
}
