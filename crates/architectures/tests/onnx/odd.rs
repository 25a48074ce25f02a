//! Networks of steps that no network of the catalog takes.

use crate::small::made;
use gradus_architectures::{Join, Network, Own, Step, Walk, Widen};
use gradus_autograd::{Layer, Mode, Name, Parameters, Slot, SlotMut, Var, parameters};
use gradus_cnn::{
    AdaptiveAveragePool, AveragePool, Conv2d, ConvShape, ConvTranspose2d, MaxPool, PaddingMode, Upsample,
    Window,
};
use gradus_layers::{Dropout, Linear};
use gradus_tensor::{Result, Scalar};

/// Steps with all that they can be told.
pub(crate) struct Odd<T: Scalar> {
    uneven: Conv2d<T>,
    mirrored: Conv2d<T>,
    around: Conv2d<T>,
    edged: Conv2d<T>,
    seven: Conv2d<T>,
    transposed: ConvTranspose2d<T>,
    rows: Linear<T>,
    without: Linear<T>,
}

parameters!(Odd<T> { uneven, mirrored, around, edged, seven, transposed, rows, without });

fn conv<T: Scalar>(shape: ConvShape<2>, phase: f64) -> Conv2d<T> {
    let inputs = shape.in_channels / shape.groups;
    let dims = [shape.out_channels, inputs, shape.windows[0].size, shape.windows[1].size];
    let bias = shape.bias.then(|| made(&[shape.out_channels], phase, |v| 0.3 * v));
    Conv2d::from_tensors(shape, made(&dims, phase, |v| 0.5 * v), bias).unwrap()
}

impl<T: Scalar> Odd<T> {
    pub(crate) const IMAGE: [usize; 3] = [2, 13, 11];

    pub(crate) fn new() -> Self {
        let uneven = [Window::new(3).stride(2).padded_by(2, 1), Window::new(2).dilation(2).padded_by(0, 3)];
        let three = [Window::new(3).padded(1), Window::new(3).padded_by(2, 1)];
        let back =
            [Window::new(3).stride(2).padded_by(1, 0), Window::new(2).stride(3).dilation(2).padded_by(0, 1)];
        let transposed = ConvTranspose2d::from_tensors(
            ConvShape::new(4, 6, back).groups(2),
            made(&[4, 3, 3, 2], 6.0, |v| v),
            Some(made(&[6], 7.0, |v| v)),
        );
        let around = ConvShape::depthwise(4, three).without_bias();
        let rows = Linear::from_tensors(made(&[3, 4], 8.0, |v| 0.5 * v), Some(made(&[4], 9.0, |v| v)));
        let without = Linear::from_tensors(made(&[4, 5], 10.0, |v| 0.5 * v), None);
        Self {
            uneven: conv(ConvShape::new(2, 4, uneven).groups(2), 1.0),
            mirrored: conv(ConvShape::new(4, 4, three), 2.0).padding_mode(PaddingMode::Reflect),
            around: conv(around, 3.0).padding_mode(PaddingMode::Circular),
            edged: conv(ConvShape::new(4, 4, three), 4.0).padding_mode(PaddingMode::Replicate),
            seven: conv(ConvShape::new(4, 4, three), 5.0).padding_mode(PaddingMode::Constant(7.0)),
            transposed: transposed.unwrap().output_padding([1, 0]),
            rows: rows.unwrap(),
            without: without.unwrap(),
        }
    }
}

impl<T: Scalar> Network<T> for Odd<T> {
    fn walk<'a, W: Walk<'a, T>>(&'a self, w: &mut W, x: W::Value) -> Result<W::Value> {
        let x = w.step("uneven", Step::Conv(&self.uneven), x)?; // 4 maps of 7 × 12
        let x = w.step("mirrored", Step::Conv(&self.mirrored), x)?;
        let x = w.step("around", Step::Conv(&self.around), x)?;
        let x = w.step("edged", Step::Conv(&self.edged), x)?;
        let x = w.step("seven", Step::Conv(&self.seven), x)?; // 7 × 16
        let x = w.step("transposed", Step::ConvTranspose(&self.transposed), x)?; // 6 of 15 × 47
        let x = w.step("widen", Step::Widen(Widen { channels: 7 }), x)?;
        let ceil = [Window::new(3).stride(2).padded(1), Window::new(4).stride(3).padded_by(0, 1)];
        let whole = [Window::new(2).padded(1).stride(2); 2];
        let holes = [Window::new(2).dilation(3).padded(2).stride(2), Window::new(2).dilation(2)];
        let thin = [Window::new(2).stride(2), Window::new(2).stride(2)];
        let ways = [
            ("ceil", Step::MaxPool(MaxPool::new(ceil).ceil())),
            ("means", Step::MeanPool(AveragePool::new(ceil).ceil())),
            ("counted", Step::MeanPool(AveragePool::new(ceil).ceil().count_padding())),
            ("whole", Step::MeanPool(AveragePool::new(whole).count_padding())),
            ("uncounted", Step::MeanPool(AveragePool::new(whole))),
            ("over", Step::MeanPool(AveragePool::new(thin).ceil().count_padding())),
            ("holes", Step::MaxPool(MaxPool::new(holes))),
            ("apart", Step::MeanPool(AveragePool::new(holes))),
            ("stretched", Step::Upsample(Upsample::to([21, 64]))),
            ("thrice", Step::Upsample(Upsample::by([1, 3]))),
            ("between", Step::Upsample(Upsample::to([19, 50]).bilinear())),
            ("corners", Step::Upsample(Upsample::to([17, 90]).bilinear_corners())),
        ];
        let mut all = w.step("bins", Step::AveragePool(AdaptiveAveragePool::new([4, 3])), x.clone())?;
        for (name, step) in ways {
            let y = w.step(name, step, x.clone())?;
            let bins = Step::AveragePool(AdaptiveAveragePool::new([5, 6]));
            let y = w.step(&format!("{name}.bins"), bins, y)?;
            // A skip that is an odd number of pixels larger.
            all = w.join(&format!("{name}.skip"), Join::CropConcat, y, all)?;
        }
        let rows = w.step("rows", Step::Linear(&self.rows), all)?;
        w.step("without", Step::Linear(&self.without), rows)
    }
}

/// A layer that is not said in customary operations.
#[derive(Clone, Copy)]
pub(crate) struct Unsaid;

impl<T: Scalar> Parameters<T> for Unsaid {
    fn visit(&self, _: &mut Name, _: &mut dyn FnMut(&str, Slot<'_, T>)) {}

    fn visit_mut(&mut self, _: &mut Name, _: &mut dyn FnMut(&str, SlotMut<'_, T>)) {}
}

impl<T: Scalar> Layer<T> for Unsaid {
    fn forward(&self, x: &Var<T>, _: &mut Mode<'_>) -> Result<Var<T>> {
        Ok(x.clone())
    }
}

impl<T: Scalar> Own<T> for Unsaid {}

impl<T: Scalar> Network<T> for Unsaid {
    fn walk<'a, W: Walk<'a, T>>(&'a self, w: &mut W, x: W::Value) -> Result<W::Value> {
        w.step("second", Step::Own("Unsaid", self), x)
    }
}

/// A network that can't be written.
pub(crate) struct Secret {
    pub(crate) first: Unsaid,
    pub(crate) second: Unsaid,
}

impl<T: Scalar> Parameters<T> for Secret {
    fn visit(&self, _: &mut Name, _: &mut dyn FnMut(&str, Slot<'_, T>)) {}

    fn visit_mut(&mut self, _: &mut Name, _: &mut dyn FnMut(&str, SlotMut<'_, T>)) {}
}

impl<T: Scalar> Network<T> for Secret {
    fn walk<'a, W: Walk<'a, T>>(&'a self, w: &mut W, x: W::Value) -> Result<W::Value> {
        let x = w.step("first", Step::Own("Unsaid", &self.first), x)?;
        let x = w.step("relu", Step::Relu, x)?;
        w.part("part", &self.second, x)
    }
}

/// One layer twice, under one name, and steps of which nothing is left.
pub(crate) struct Twice<T: Scalar> {
    conv: Conv2d<T>,
    dropout: Dropout,
}

parameters!(Twice<T> { conv });

impl<T: Scalar> Twice<T> {
    pub(crate) fn new() -> Self {
        Self { conv: conv(ConvShape::pointwise(2, 2), 1.0), dropout: Dropout::new(0.5).unwrap() }
    }
}

impl<T: Scalar> Network<T> for Twice<T> {
    fn walk<'a, W: Walk<'a, T>>(&'a self, w: &mut W, x: W::Value) -> Result<W::Value> {
        let x = w.step("conv", Step::Conv(&self.conv), x)?;
        let x = w.step("conv", Step::Conv(&self.conv), x)?;
        w.step("aside", Step::Relu, x.clone())?;
        w.step("dropout", Step::Dropout(&self.dropout), x)
    }
}

/// What comes in goes out.
pub(crate) struct Nothing;

impl<T: Scalar> Parameters<T> for Nothing {
    fn visit(&self, _: &mut Name, _: &mut dyn FnMut(&str, Slot<'_, T>)) {}

    fn visit_mut(&mut self, _: &mut Name, _: &mut dyn FnMut(&str, SlotMut<'_, T>)) {}
}

impl<T: Scalar> Network<T> for Nothing {
    fn walk<'a, W: Walk<'a, T>>(&'a self, _: &mut W, x: W::Value) -> Result<W::Value> {
        Ok(x)
    }
}
