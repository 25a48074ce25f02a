//! Each step as nodes of ONNX.

use super::writer::{Writer, float, int, ints, text};
use crate::alexnet::LocalResponse;
use crate::lenet::Squashing;
use crate::resnet::Widen;
use crate::{Action, Join, Node, Plain, Step};
use gradus_cnn::{
    AdaptiveAveragePool, AveragePool, Conv2d, ConvTranspose2d, Interpolation, MaxPool, PaddingMode, Upsample,
    Window, adaptive_bin,
};
use gradus_layers::{BatchNorm2d, Linear};
use gradus_tensor::{Error, Result, Scalar, Tensor};

/// A step that is being written: its name, the value that comes in, and what becomes of the shape of a sample.
struct At<'s> {
    name: &'s str,
    x: String,
    from: &'s [usize],
    to: &'s [usize],
}

impl At<'_> {
    /// The name of something within the step.
    fn of(&self, what: &str) -> String {
        format!("{}.{what}", self.name)
    }

    /// Height and width of the maps that come in and go out.
    fn sizes(&self) -> Result<[[usize; 2]; 2]> {
        let maps = |sample: &[usize]| match *sample {
            [_, height, width] => Ok([height, width]),
            _ => Err(Error::Shape {
                op: "onnx",
                expected: format!("{} of maps [C, H, W]", self.name),
                got: gradus_tensor::Shape::new(sample)?,
            }),
        };
        Ok([maps(self.from)?, maps(self.to)?])
    }
}

/// Padding as ONNX has it: before on each axis, then after on each axis.
fn pads(padding: [[usize; 2]; 2]) -> [usize; 4] {
    let [[top, bottom], [left, right]] = padding;
    [top, left, bottom, right]
}

/// The padding with which whole windows give these sizes. Where sizes are rounded up, some of it is what the last window sticks out by.
fn reached(windows: [Window; 2], [from, to]: [[usize; 2]; 2]) -> Result<[[usize; 2]; 2]> {
    let mut padding = [[0; 2]; 2];
    for (axis, window) in windows.into_iter().enumerate() {
        let extent = window.extent().map_err(|geometry| geometry.during("onnx"))?;
        let [before, after] = window.padding;
        // Counted from the padding's first element; the graph's shapes have been seen to be possible.
        let end = to[axis].saturating_sub(1) * window.stride + extent;
        padding[axis] = [before, after.max(end.saturating_sub(from[axis] + before))];
    }
    Ok(padding)
}

impl Writer {
    /// Writes what is done at a node, of these values and their shapes for one sample. Gives the value that comes out; nothing, if ONNX has no word for it.
    pub(super) fn action<T: Scalar>(
        &mut self,
        node: &Node<'_, T>,
        inputs: &[(String, &[usize])],
    ) -> Result<Option<String>> {
        let Some((x, from)) = inputs.first().cloned() else { return Ok(None) };
        let at = At { name: &node.name, x, from, to: &node.shape };
        Ok(Some(match &node.action {
            Action::Input => at.x,
            Action::Join(join) => {
                let Some((other, _)) = inputs.get(1).cloned() else { return Ok(None) };
                match join {
                    Join::Add => self.node("Add", at.name, [at.x, other], []),
                    Join::CropConcat => self.crop_concat(at, other)?,
                }
            }
            Action::Step(step) => match *step {
                Step::Conv(layer) => return self.conv(at, layer),
                Step::ConvTranspose(layer) => self.conv_transpose(at, layer)?,
                Step::Norm(layer) => self.norm(at, layer),
                Step::LocalNorm(op) => self.local_norm(at, op),
                Step::Linear(layer) => self.linear(at, layer)?,
                Step::Relu | Step::Squash(Squashing::Relu) => self.node("Relu", at.name, [at.x], []),
                Step::Squash(Squashing::Tanh) => self.node("Tanh", at.name, [at.x], []),
                Step::Squash(Squashing::Sigmoid) => self.node("Sigmoid", at.name, [at.x], []),
                Step::MaxPool(op) => self.max_pool(at, op)?,
                Step::MeanPool(op) => self.mean_pool(at, op)?,
                Step::AveragePool(op) => self.adaptive(at, op)?,
                Step::Upsample(op) => self.upsample(at, op)?,
                Step::Widen(op) => self.widen(at, op),
                Step::Flatten => self.node("Flatten", at.name, [at.x], [int("axis", 1)]),
                Step::Dropout(_) => at.x,
                Step::Own(_, layer) => match layer.plain()? {
                    Some(Plain::Conv(layer)) => return self.conv(at, &layer),
                    Some(Plain::Tanh { height, slope }) => self.tanh(at, height, slope),
                    Some(Plain::Distances(codes)) => self.distances(at, &codes),
                    None => return Ok(None),
                },
            },
        }))
    }

    /// Windows as attributes, without their padding.
    fn windows(windows: [Window; 2]) -> [super::proto::Attribute; 3] {
        [
            ints("kernel_shape", windows.map(|w| w.size)),
            ints("strides", windows.map(|w| w.stride)),
            ints("dilations", windows.map(|w| w.dilation)),
        ]
    }

    fn conv<T: Scalar>(&mut self, at: At<'_>, layer: &Conv2d<T>) -> Result<Option<String>> {
        let shape = layer.shape();
        let mut padding = shape.windows.map(|w| w.padding);
        let mut x = at.x.clone();
        if layer.beyond() != PaddingMode::Zeros {
            let (mode, value) = match layer.beyond() {
                PaddingMode::Constant(value) => ("constant", Some(value)),
                PaddingMode::Reflect => ("reflect", None),
                PaddingMode::Replicate => ("edge", None),
                PaddingMode::Circular => ("wrap", None),
                _ => return Ok(None),
            };
            x = self.pad(&at, padding, mode, value);
            padding = [[0; 2]; 2];
        }
        let mut inputs = vec![x, self.tensor(at.of("weight"), &layer.weight.value())];
        if let Some(bias) = &layer.bias {
            inputs.push(self.tensor(at.of("bias"), &bias.value()));
        }
        let attributes = Self::windows(shape.windows).into_iter();
        let more = [ints("pads", pads(padding)), int("group", shape.groups)];
        Ok(Some(self.node("Conv", at.name, inputs, attributes.chain(more))))
    }

    /// The image with something around it, before a step.
    fn pad(&mut self, at: &At<'_>, padding: [[usize; 2]; 2], mode: &str, value: Option<f64>) -> String {
        let [top, left, bottom, right] = pads(padding);
        let pads = self.list(at.of("pads"), &[0, 0, top, left, 0, 0, bottom, right]);
        let mut inputs = vec![at.x.clone(), pads];
        if let Some(value) = value {
            inputs.push(self.number(at.of("beyond"), value));
        }
        self.node("Pad", at.of("pad"), inputs, [text("mode", mode)])
    }

    fn conv_transpose<T: Scalar>(&mut self, at: At<'_>, layer: &ConvTranspose2d<T>) -> Result<String> {
        let (shape, [from, to]) = (layer.shape(), at.sizes()?);
        // Of the sizes that are possible, the graph says which it is.
        let mut more = [0; 2];
        for (axis, window) in shape.windows.into_iter().enumerate() {
            let least =
                window.transposed_output(from[axis], 0).map_err(|geometry| geometry.during("onnx"))?;
            more[axis] = to[axis].saturating_sub(least);
        }
        let mut inputs = vec![at.x.clone(), self.tensor(at.of("weight"), &layer.weight.value())];
        if let Some(bias) = &layer.bias {
            inputs.push(self.tensor(at.of("bias"), &bias.value()));
        }
        let attributes = Self::windows(shape.windows).into_iter().chain([
            ints("pads", pads(shape.windows.map(|w| w.padding))),
            ints("output_padding", more),
            int("group", shape.groups),
        ]);
        Ok(self.node("ConvTranspose", at.name, inputs, attributes))
    }

    fn norm<T: Scalar>(&mut self, at: At<'_>, layer: &BatchNorm2d<T>) -> String {
        let fixed = layer.fixed();
        let inputs = [
            at.x.clone(),
            self.tensor(at.of("weight"), &layer.weight.value()),
            self.tensor(at.of("bias"), &layer.bias.value()),
            self.tensor(at.of("running_mean"), &fixed.mean),
            self.tensor(at.of("running_var"), &fixed.variance),
        ];
        self.node("BatchNormalization", at.name, inputs, [float("epsilon", fixed.eps)])
    }

    /// ONNX divides α by the size: it weighs the mean of the squares, and we their sum.
    fn local_norm(&mut self, at: At<'_>, op: LocalResponse) -> String {
        let attributes = [
            int("size", op.size),
            float("alpha", op.alpha * op.size as f64),
            float("beta", op.beta),
            float("bias", op.k),
        ];
        self.node("LRN", at.name, [at.x], attributes)
    }

    /// With the weights as PyTorch lays them, `[outputs, inputs]`.
    fn linear<T: Scalar>(&mut self, at: At<'_>, layer: &Linear<T>) -> Result<String> {
        let weight = self.tensor(at.of("weight"), &layer.weight.value().transpose()?);
        let bias = layer.bias.as_ref().map(|bias| self.tensor(at.of("bias"), &bias.value()));
        if at.from.len() == 1 {
            let inputs = [at.x, weight].into_iter().chain(bias);
            return Ok(self.node("Gemm", at.name, inputs, [int("transB", 1)]));
        }
        // Of samples with more dimensions the last one counts.
        let turned = self.node("Transpose", at.of("weight.turned"), [weight], []);
        Ok(match bias {
            None => self.node("MatMul", at.name, [at.x, turned], []),
            Some(bias) => {
                let product = self.node("MatMul", at.of("product"), [at.x, turned], []);
                self.node("Add", at.name, [product, bias], [])
            }
        })
    }

    fn max_pool(&mut self, at: At<'_>, op: MaxPool) -> Result<String> {
        let (windows, mut x) = (op.windows(), at.x.clone());
        let mut padding = reached(windows, at.sizes()?)?;
        // Programs allow less padding than taps; a window with holes may have more.
        let more = padding.iter().zip(windows).any(|(padding, w)| padding.iter().any(|&p| p >= w.size));
        if more {
            x = self.pad(&at, padding, "constant", Some(f64::NEG_INFINITY));
            padding = [[0; 2]; 2];
        }
        let attributes = Self::windows(windows).into_iter().chain([ints("pads", pads(padding))]);
        Ok(self.node("MaxPool", at.name, [x], attributes))
    }

    fn mean_pool(&mut self, at: At<'_>, op: AveragePool) -> Result<String> {
        let (windows, sizes) = (op.windows(), at.sizes()?);
        let padding = reached(windows, sizes)?;
        let counted = op.counts_padding() && windows.iter().any(|w| w.padding != [0, 0]);
        let sticks_out = padding != windows.map(|w| w.padding);
        let holes = windows.iter().any(|w| w.dilation > 1);
        if holes || (counted && sticks_out) {
            // What ONNX counts then depends on its version, and on the program.
            return self.means(at, |axis, i| {
                let (window, n) = (windows[axis], sizes[0][axis]);
                let read = window.taps_ceil(n, i).map_err(|geometry| geometry.during("onnx"))?;
                let end = n + window.padding[0] + window.padding[1];
                let inside = |tap: &usize| i * window.stride + tap * window.dilation < end;
                let count = if counted { (0..window.size).filter(inside).count() } else { read.len() };
                Ok((read.elements().collect(), count))
            });
        }
        let [kernel, strides, _] = Self::windows(windows);
        let count = int("count_include_pad", usize::from(counted));
        Ok(self.node("AveragePool", at.name, [at.x], [kernel, strides, ints("pads", pads(padding)), count]))
    }

    fn adaptive(&mut self, at: At<'_>, op: AdaptiveAveragePool) -> Result<String> {
        let ([from, to], outputs) = (at.sizes()?, op.size());
        if from == to {
            return Ok(at.x);
        }
        if to == [1, 1] {
            return Ok(self.node("GlobalAveragePool", at.name, [at.x], []));
        }
        if from[0] % to[0] == 0 && from[1] % to[1] == 0 {
            let bins = [from[0] / to[0], from[1] / to[1]];
            let attributes = [ints("kernel_shape", bins), ints("strides", bins)];
            return Ok(self.node("AveragePool", at.name, [at.x], attributes));
        }
        self.means(at, |axis, i| {
            let bin =
                adaptive_bin(from[axis], outputs[axis], i).map_err(|geometry| geometry.during("onnx"))?;
            let count = bin.len();
            Ok((bin.collect(), count))
        })
    }

    /// Means along both axes, of which ONNX has no operation, by two products: with a matrix on the left that adds up rows, and one on the right that adds up columns. `read` says which elements
    /// output i of an axis reads, and by how many their sum is divided.
    fn means(
        &mut self,
        at: At<'_>,
        read: impl Fn(usize, usize) -> Result<(Vec<usize>, usize)>,
    ) -> Result<String> {
        let [from, to] = at.sizes()?;
        let mut matrices = [vec![0.0; to[0] * from[0]], vec![0.0; from[1] * to[1]]];
        for (axis, matrix) in matrices.iter_mut().enumerate() {
            for i in 0..to[axis] {
                let (elements, count) = read(axis, i)?;
                for element in elements {
                    let place = [i * from[0] + element, element * to[1] + i][axis];
                    matrix[place] = 1.0 / count as f64;
                }
            }
        }
        let rows = self.numbers(at.of("rows"), &matrices[0], &[to[0], from[0]]);
        let columns = self.numbers(at.of("columns"), &matrices[1], &[from[1], to[1]]);
        let down = self.node("MatMul", at.of("down"), [rows, at.x], []);
        Ok(self.node("MatMul", at.name, [down, columns], []))
    }

    fn upsample(&mut self, at: At<'_>, op: Upsample) -> Result<String> {
        let [from, to] = at.sizes()?;
        let (mode, places) = match op.interpolation() {
            Interpolation::Nearest if (0..2).any(|axis| to[axis] % from[axis] != 0) => {
                return Ok(self.nearest(at, [from, to]));
            }
            Interpolation::Nearest => ("nearest", "asymmetric"),
            Interpolation::Bilinear => ("linear", "half_pixel"),
            Interpolation::BilinearCorners => ("linear", "align_corners"),
        };
        let sizes = self.list(at.of("sizes"), &to);
        // Nobody reads the second and the third input: an empty name says so.
        let inputs = [at.x, String::new(), String::new(), sizes];
        let attributes = [
            text("mode", mode),
            text("coordinate_transformation_mode", places),
            text("nearest_mode", "floor"),
            ints("axes", [2, 3]),
        ];
        Ok(self.node("Resize", at.name, inputs, attributes))
    }

    /// The nearest pixels by their numbers: ONNX computes places in floating point, which may be one off where the sizes do not divide.
    fn nearest(&mut self, at: At<'_>, [from, to]: [[usize; 2]; 2]) -> String {
        let places = |axis: usize| -> Vec<usize> {
            (0..to[axis]).map(|i| (i as u128 * from[axis] as u128 / to[axis] as u128) as usize).collect()
        };
        let rows = self.list(at.of("rows"), &places(0));
        let columns = self.list(at.of("columns"), &places(1));
        let down = self.node("Gather", at.of("down"), [at.x, rows], [int("axis", 2)]);
        self.node("Gather", at.name, [down, columns], [int("axis", 3)])
    }

    fn widen(&mut self, at: At<'_>, op: Widen) -> String {
        let more = op.channels.saturating_sub(at.from.first().copied().unwrap_or(0));
        if more == 0 {
            return at.x;
        }
        let pads = self.list(at.of("pads"), &[0, 0, 0, 0, 0, more, 0, 0]);
        self.node("Pad", at.name, [at.x, pads], [text("mode", "constant")])
    }

    /// What comes in first is the skip; its middle is as large as what comes out.
    fn crop_concat(&mut self, at: At<'_>, below: String) -> Result<String> {
        let [[height, width], to] = at.sizes()?;
        let mut skip = at.x.clone();
        if [height, width] != to {
            let starts = [(height - to[0]) / 2, (width - to[1]) / 2];
            let inputs = [
                skip,
                self.list(at.of("starts"), &starts),
                self.list(at.of("ends"), &[starts[0] + to[0], starts[1] + to[1]]),
                self.list(at.of("axes"), &[2, 3]),
            ];
            skip = self.node("Slice", at.of("crop"), inputs, []);
        }
        Ok(self.node("Concat", at.name, [skip, below], [int("axis", 1)]))
    }

    fn tanh(&mut self, at: At<'_>, height: f64, slope: f64) -> String {
        let (slope, height) = (self.number(at.of("slope"), slope), self.number(at.of("height"), height));
        let steep = self.node("Mul", at.of("steep"), [at.x.clone(), slope], []);
        let tanh = self.node("Tanh", at.of("tanh"), [steep], []);
        self.node("Mul", at.name, [tanh, height], [])
    }

    fn distances<T: Scalar>(&mut self, at: At<'_>, codes: &Tensor<T>) -> String {
        let codes = self.tensor(at.name, codes);
        let axis = self.list(at.of("axis"), &[1]);
        let row = self.node("Unsqueeze", at.of("row"), [at.x.clone(), axis], []);
        let apart = self.node("Sub", at.of("apart"), [row, codes], []);
        let last = self.list(at.of("last"), &[2]);
        let squares = self.node("ReduceSumSquare", at.of("squares"), [apart, last], [int("keepdims", 0)]);
        self.node("Neg", at.of("scores"), [squares], [])
    }
}
