//! A network as a table: what comes out of each step, what is learned there, what it costs.

use crate::{Action, Graph, Node, Step};
use gradus_autograd::{Parameters, Slot};
use gradus_tensor::Scalar;
use std::fmt::{self, Display, Formatter};

/// A line of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Row {
    /// The step's name: that of its parameters.
    pub name: String,
    /// What kind of step it is.
    pub kind: &'static str,
    /// The shape of the result for one image: `[C, H, W]`, or `[D]`.
    pub output: Vec<usize>,
    /// How many numbers are learned here.
    pub parameters: usize,
    /// How many numbers are kept here without being learned: running statistics.
    pub buffers: usize,
    /// The products for one image, each with an addition (MACs), of convolutions and dense layers; none for a layer that is not counted.
    pub multiplications: Option<u64>,
    /// The bytes of the result for one image.
    pub bytes: usize,
    /// How many rows and columns of the image an element of the result can know of; none where it is everything, or where the maps have grown again.
    pub receptive_field: Option<[usize; 2]>,
}

/// A network as a table, with what it comes to. As text it is a table for people; the feature `serde` makes it JSON.
///
/// Everything is counted on the network that is there: parameters by walking through its layers, products from the shapes of its convolutions and of what comes into them.
///
/// ```
/// use gradus_architectures::{Graph, LeNet, LeNetShape, Squashing, Summary};
/// use rand::{SeedableRng, rngs::ChaCha8Rng};
/// let net = LeNet::<f32>::new(LeNetShape::default(), Squashing::Tanh, &mut ChaCha8Rng::seed_from_u64(1))?;
/// let summary = Summary::of("LeNet", &Graph::of(&net, [1, 32, 32])?);
/// assert_eq!((summary.parameters, summary.multiplications), (61_706, 416_520));
/// assert!(summary.to_string().contains("conv2"));
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Summary {
    /// The network.
    pub network: String,
    /// The image's shape, `[C, H, W]`.
    pub image: Vec<usize>,
    /// Step by step.
    pub rows: Vec<Row>,
    /// How many numbers are learned.
    pub parameters: usize,
    /// How many are kept without being learned.
    pub buffers: usize,
    /// The products for one image.
    pub multiplications: u64,
    /// The bytes of all results for one image: what training keeps.
    pub bytes: usize,
}

/// Learned, and not learned.
fn numbers<T: Scalar>(layer: Option<&dyn Parameters<T>>) -> [usize; 2] {
    let mut found = [0; 2];
    if let Some(layer) = layer {
        layer.visit(&mut gradus_autograd::Name::default(), &mut |_, slot| {
            let (which, count) = match slot {
                Slot::Parameter(var) => (0, var.shape().elements()),
                Slot::Buffer(buffer) => (1, buffer.value().len()),
            };
            found[which] += count;
        });
    }
    found
}

/// The products of a step for one image, from the shapes that come in and go out; none for what is not counted.
fn products<T: Scalar>(step: &Step<'_, T>, input: &[usize], output: &[usize]) -> Option<u64> {
    let elements = |shape: &[usize]| shape.iter().try_fold(1u64, |n, &m| n.checked_mul(m as u64));
    match step {
        // Each output sums over its window, in each channel of its group.
        Step::Conv(layer) => {
            let shape = layer.shape();
            let taps = elements(&shape.windows.map(|w| w.size))?;
            elements(output)?.checked_mul(shape.group_channels().ok()? as u64)?.checked_mul(taps)
        }
        // Each input has a part in so many outputs.
        Step::ConvTranspose(layer) => {
            let shape = layer.shape();
            let taps = elements(&shape.windows.map(|w| w.size))?;
            elements(input)?.checked_mul((shape.out_channels / shape.groups) as u64)?.checked_mul(taps)
        }
        Step::Linear(layer) => Some(layer.weight.shape().elements() as u64),
        Step::Own(..) => None,
        _ => Some(0),
    }
}

impl Summary {
    /// The table of a network.
    #[must_use]
    pub fn of<T: Scalar>(network: &str, graph: &Graph<'_, T>) -> Self {
        let nodes = graph.nodes();
        let row = |node: &Node<'_, T>| {
            let (numbers, multiplications) = match &node.action {
                Action::Step(step) => {
                    let input = node.inputs.first().map_or(&[][..], |&i| nodes[i].shape.as_slice());
                    (numbers(step.layer()), products(step, input, &node.shape))
                }
                Action::Input | Action::Join(_) => ([0; 2], Some(0)),
            };
            Row {
                name: node.name.clone(),
                kind: node.action.kind(),
                output: node.shape.clone(),
                parameters: numbers[0],
                buffers: numbers[1],
                multiplications,
                bytes: node.shape.iter().product::<usize>() * size_of::<T>(),
                receptive_field: node.field.map(|field| field.map(|axis| axis.size())),
            }
        };
        let rows: Vec<Row> = nodes.iter().skip(1).map(row).collect();
        Self {
            network: network.into(),
            image: nodes.first().map(|node| node.shape.clone()).unwrap_or_default(),
            parameters: rows.iter().map(|row| row.parameters).sum(),
            buffers: rows.iter().map(|row| row.buffers).sum(),
            multiplications: rows.iter().filter_map(|row| row.multiplications).sum(),
            bytes: rows.iter().map(|row| row.bytes).sum(),
            rows,
        }
    }
}

/// 1234567 as 1,234,567.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// 64 × 56 × 56.
fn shape(dims: &[usize]) -> String {
    dims.iter().map(usize::to_string).collect::<Vec<_>>().join(" × ")
}

/// Bytes in units that people read.
fn memory(bytes: usize) -> String {
    if bytes < 1 << 20 {
        format!("{:.1} KiB", bytes as f64 / 1024.0)
    } else {
        format!("{:.1} MiB", bytes as f64 / 1_048_576.0)
    }
}

impl Display for Summary {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let titles = ["name", "kind", "output", "parameters", "products", "memory", "sees"].map(String::from);
        let cells = |row: &Row| {
            let count = |n: u64| if n == 0 { String::new() } else { grouped(n) };
            [
                row.name.clone(),
                row.kind.into(),
                shape(&row.output),
                count(row.parameters as u64),
                row.multiplications.map_or("?".into(), count),
                memory(row.bytes),
                row.receptive_field.map_or(String::new(), |field| shape(&field)),
            ]
        };
        let table: Vec<[String; 7]> = std::iter::once(titles).chain(self.rows.iter().map(cells)).collect();
        let mut widths = [0; 7];
        for line in &table {
            for (width, cell) in widths.iter_mut().zip(line) {
                *width = (*width).max(cell.chars().count());
            }
        }
        writeln!(f, "{}, for an image of {}", self.network, shape(&self.image))?;
        let rule: usize = widths.iter().sum::<usize>() + 12;
        for (i, line) in table.iter().enumerate() {
            let mut text = String::new();
            for (column, (cell, width)) in line.iter().zip(widths).enumerate() {
                // Words on the left, numbers on the right.
                let cell = if column < 3 { format!("{cell:<width$}  ") } else { format!("{cell:>width$}  ") };
                text.push_str(&cell);
            }
            writeln!(f, "{}", text.trim_end())?;
            if i == 0 {
                writeln!(f, "{}", "─".repeat(rule))?;
            }
        }
        writeln!(f, "{}", "─".repeat(rule))?;
        writeln!(
            f,
            "{} parameters, {} more numbers that are not learned",
            grouped(self.parameters as u64),
            grouped(self.buffers as u64)
        )?;
        writeln!(f, "{} products an image", grouped(self.multiplications))?;
        write!(f, "{} of results an image", memory(self.bytes))
    }
}
