//! A network as a drawing: maps as boxes, as high as they are large and as wide as they are many.

use crate::{Action, Graph, Join, Node, Step};
use gradus_tensor::Scalar;
use std::fmt::Write;

/// Height of the largest maps, and the room above for the ways around.
const TALL: f64 = 120.0;
const ABOVE: f64 = 60.0;
const GAP: f64 = 3.0;

/// What a box shows, and in which colour: by its number in the page's palette.
fn colour<T: Scalar>(action: &Action<'_, T>) -> Option<(&'static str, &'static str)> {
    match action {
        Action::Input => Some(("image", "#8a8f98")),
        Action::Step(Step::Conv(_) | Step::Own("SparseConv", _)) => Some(("convolution", "#3b82c4")),
        Action::Step(Step::ConvTranspose(_) | Step::Upsample(_)) => Some(("doubling", "#8b5fbf")),
        Action::Step(
            Step::MaxPool(_) | Step::MeanPool(_) | Step::AveragePool(_) | Step::Own("Subsampling", _),
        ) => Some(("pooling", "#c9603a")),
        Action::Step(Step::Linear(_) | Step::Own("RadialBasis", _)) => Some(("dense", "#3f9a63")),
        Action::Join(Join::CropConcat) => Some(("skip", "#b8912f")),
        Action::Join(Join::Add) => Some(("sum", "#b8912f")),
        Action::Step(_) => None,
    }
}

/// Where two ways part that come together again: the last node on the way to both.
fn fork<T: Scalar>(nodes: &[Node<'_, T>], a: usize, b: usize) -> usize {
    // Nodes read earlier ones only: whoever is ahead goes back.
    let (mut a, mut b) = (a, b);
    while a != b {
        let later = if a > b { &mut a } else { &mut b };
        match nodes[*later].inputs.first() {
            Some(&input) => *later = input,
            None => return *later,
        }
    }
    a
}

impl<T: Scalar> Graph<'_, T> {
    /// The network as an SVG drawing: a box for the result of each convolution, pooling, doubling and dense layer, and an arc for each way around. Heights go with the root of the maps' height, widths
    /// with the logarithm of their number. Each box says what it is when it is pointed at.
    ///
    /// ```
    /// use gradus_architectures::{Graph, Start, UNet, UNetShape};
    /// let net = UNet::<f32>::new(&UNetShape::tiny(), &mut Start::Blank)?;
    /// let svg = Graph::of(&net, [1, 64, 64])?.diagram();
    /// assert!(svg.starts_with("<svg") && svg.contains("<title>up1.up: ConvTranspose, 16 × 32 × 32</title>"));
    /// # Ok::<(), gradus_tensor::Error>(())
    /// ```
    #[must_use]
    pub fn diagram(&self) -> String {
        let nodes = self.nodes();
        let sides = |node: &Node<'_, T>| node.shape.get(1).copied().unwrap_or(1) as f64;
        let largest = nodes.iter().map(sides).fold(1.0, f64::max);
        let (mut boxes, mut arcs) = (String::new(), String::new());
        let mut x = GAP;
        // Where each node's value is drawn: its own box, or that of the value it came from.
        let mut at: Vec<(f64, f64)> = Vec::with_capacity(nodes.len());
        let mut kinds: Vec<(&str, &str)> = Vec::new();
        for node in nodes {
            let Some((kind, fill)) = colour(&node.action) else {
                at.push(node.inputs.first().map_or((x, TALL), |&i| at[i]));
                continue;
            };
            if !kinds.contains(&(kind, fill)) {
                kinds.push((kind, fill));
            }
            let channels = node.shape.first().copied().unwrap_or(1) as f64;
            let (mut width, mut height) =
                (2.0 + 1.4 * channels.max(1.0).log2(), TALL * (sides(node) / largest).sqrt());
            if node.shape.len() == 1 {
                // A row of numbers is a line: as high as there are many.
                (width, height) = (5.0, 8.0 * channels.max(2.0).log2());
            }
            if matches!(node.action, Action::Join(Join::Add)) {
                width = 4.0;
            }
            let top = ABOVE + (TALL - height) / 2.0;
            let shape = node.shape.iter().map(usize::to_string).collect::<Vec<_>>().join(" × ");
            let (name, what) = (&node.name, node.action.kind());
            // Writing into a string can't fail.
            let _ = write!(
                boxes,
                "<rect x=\"{x:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{fill}\"><title>{name}: {what}, {shape}</title></rect>"
            );
            if let (Action::Join(_), &[a, b]) = (&node.action, node.inputs.as_slice()) {
                let from = at[fork(nodes, a, b)];
                let (start, end) = (from.0, x + width / 2.0);
                let peak = ABOVE + (TALL - from.1.max(height)) / 2.0 - (8.0 + (end - start) / 12.0).min(50.0);
                let begin = ABOVE + (TALL - from.1) / 2.0;
                let _ = write!(
                    arcs,
                    "<path d=\"M{start:.1} {begin:.1}C{start:.1} {peak:.1} {end:.1} {peak:.1} {end:.1} {top:.1}\"/>"
                );
            }
            at.push((x + width / 2.0, height));
            x += width + GAP;
        }
        let mut legend = String::new();
        let mut place = GAP;
        let line = ABOVE + TALL + 24.0;
        for (kind, fill) in kinds {
            let _ = write!(
                legend,
                "<rect x=\"{place:.0}\" y=\"{:.0}\" width=\"10\" height=\"10\" fill=\"{fill}\"/><text x=\"{:.0}\" y=\"{line:.0}\">{kind}</text>",
                line - 9.0,
                place + 14.0
            );
            place += 24.0 + 7.5 * kind.len() as f64;
        }
        let (width, height) = (x.max(place), line + 8.0);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\">\
             <g fill=\"none\" stroke=\"#b8912f\" stroke-width=\"1.2\">{arcs}</g>{boxes}\
             <g font-family=\"sans-serif\" font-size=\"12\" fill=\"currentColor\">{legend}</g></svg>"
        )
    }
}
