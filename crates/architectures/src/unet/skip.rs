//! Where a skip comes in: cropped, and laid beside what came from below.

use crate::expect;
use gradus_autograd::Op;
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::{Error, Result, Scalar, Shape, Tensor};

pub(crate) const FORMULA: Formula = Formula {
    id: "skip-concat-crop",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "The skip",
    latex: r"y_{n, c, i, j} = \begin{cases} a_{n,\, c,\, i + o,\, j + o'} & c < C_a \\ b_{n,\, c - C_a,\, i,\, j} & c \ge C_a \end{cases} \qquad o = \Bigl\lfloor \frac{H_a - H_b}{2} \Bigr\rfloor,\; o' = \Bigl\lfloor \frac{W_a - W_b}{2} \Bigr\rfloor",
    unicode: "y[n, c, i, j] = a[n, c, i + o, j + o'] for c < Ca, else b[n, c − Ca, i, j]; o = ⌊(Ha − Hb)/2⌋, o' = ⌊(Wa − Wb)/2⌋",
    symbols: &[
        Symbol {
            latex: "a",
            code: "skip",
            meaning: "the maps of the encoder, of the same level",
            shape: "[N, Ca, Ha, Wa]",
            unit: "any",
        },
        Symbol {
            latex: "b",
            code: "below",
            meaning: "the maps that came up from below",
            shape: "[N, Cb, Hb, Wb]",
            unit: "any",
        },
        Symbol {
            latex: "o",
            code: "offset",
            meaning: "what is cut off before, above and at the left",
            shape: "[]",
            unit: "pixels",
        },
    ],
    source: "Ronneberger, Fischer & Brox 2015, fig. 1, §2",
    item: item!(struct CropConcat),
    chapter: "unet",
    printed: None,
};

/// The middle of the first maps, as large as the second, and the second after them, as an operation on `[skip, below]`.
///
/// **Formula** `skip-concat-crop`: y\[n, c, i, j\] = a\[n, c, i + o, j + o'\] for c < Ca, else b\[n, c − Ca, i, j\]; o = ⌊(Ha − Hb)/2⌋.
///
/// **Shapes**: a `[N, Ca, Ha, Wa]`, b `[N, Cb, Hb, Wb]`, not larger; the result `[N, Ca + Cb, Hb, Wb]`. **Units**: those of the maps.
///
/// **Gradient**: dy's first channels go to the middle of a, and 0 to its edge; the others go to b.
///
/// **Numerics**: nothing is computed. An odd difference leaves one pixel more behind than before.
///
/// **Errors**: another rank, another N, or a smaller than b.
///
/// **Source**: Ronneberger, Fischer & Brox 2015, §2.
///
/// ```
/// use gradus_architectures::CropConcat;
/// use gradus_autograd::Op;
/// use gradus_tensor::Tensor;
/// let skip = Tensor::from([[[[1.0, 2.0, 3.0, 4.0]]]; 1]);
/// let below = Tensor::from([[[[7.0, 8.0]]]; 1]);
/// assert_eq!(CropConcat.eval([&skip, &below])?.as_slice(), [2.0, 3.0, 7.0, 8.0]);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CropConcat;

const OP: &str = "crop_concat";

/// The dimensions of both, and what is cut off before.
struct Places {
    skip: [usize; 4],
    below: [usize; 4],
    offset: [usize; 2],
}

impl Places {
    fn new(skip: Shape, below: Shape) -> Result<Self> {
        let of = |name: &str, shape: Shape| match *shape.dims() {
            [n, c, h, w] => Ok([n, c, h, w]),
            _ => Err(Error::Shape {
                op: OP,
                expected: format!("{name} of the shape [N, C, H, W]"),
                got: shape,
            }),
        };
        let (a, b) = (of("skip", skip)?, of("below", below)?);
        match [a[2].checked_sub(b[2]), a[3].checked_sub(b[3])] {
            [Some(down), Some(across)] if a[0] == b[0] => {
                Ok(Self { skip: a, below: b, offset: [down / 2, across / 2] })
            }
            _ => {
                let expected = format!("skip of {} images of at least {} × {} pixels", b[0], b[2], b[3]);
                Err(Error::Shape { op: OP, expected, got: skip })
            }
        }
    }

    fn output(&self) -> [usize; 4] {
        let [n, c, h, w] = self.below;
        [n, self.skip[1] + c, h, w]
    }

    /// Calls `f` for each row of the skip that stays, with where it begins in the skip, and in the result.
    fn rows(&self, mut f: impl FnMut(usize, usize)) {
        let ([n, channels, height, width], [_, _, h, w]) = (self.skip, self.below);
        let all = channels + self.below[1];
        for (sample, channel) in (0..n).flat_map(|n| (0..channels).map(move |c| (n, c))) {
            for i in 0..h {
                let from =
                    ((sample * channels + channel) * height + i + self.offset[0]) * width + self.offset[1];
                f(from, ((sample * all + channel) * h + i) * w);
            }
        }
    }

    /// Where the second maps of each sample begin in the result, and how many numbers they are.
    fn others(&self) -> impl Iterator<Item = std::ops::Range<usize>> {
        let ([n, channels, h, w], first) = (self.below, self.skip[1]);
        let all = channels + first;
        (0..n).map(move |n| (n * all + first) * h * w..(n + 1) * all * h * w)
    }
}

impl<T: Scalar> Op<T, 2> for CropConcat {
    /// Nothing.
    type Saved = ();

    fn forward(&self, [skip, below]: [&Tensor<T>; 2]) -> Result<(Tensor<T>, ())> {
        let places = Places::new(skip.shape(), below.shape())?;
        let (a, w) = (skip.as_slice(), places.below[3]);
        let y = Tensor::compute(places.output(), |y: &mut [T]| {
            places.rows(|from, to| y[to..to + w].copy_from_slice(&a[from..from + w]));
            let mut b = below.as_slice();
            for range in places.others() {
                let (own, rest) = b.split_at(range.len());
                y[range].copy_from_slice(own);
                b = rest;
            }
        })?;
        Ok((y, ()))
    }

    fn vjp(
        &self,
        [skip, below]: [&Tensor<T>; 2],
        (): &(),
        dy: &Tensor<T>,
        [wants_skip, wants_below]: [bool; 2],
    ) -> Result<[Option<Tensor<T>>; 2]> {
        let places = Places::new(skip.shape(), below.shape())?;
        expect(OP, "dy", &places.output(), dy.shape())?;
        let (w, channels) = (places.below[3], places.output()[1]);
        let edge = || {
            let mut da = Tensor::zeros(skip.dims())?;
            let (out, dy) = (da.as_mut_slice(), dy.as_slice());
            places.rows(|from, to| out[from..from + w].copy_from_slice(&dy[to..to + w]));
            Ok::<_, Error>(da)
        };
        Ok([
            wants_skip.then(edge).transpose()?,
            wants_below.then(|| dy.slice(1, places.skip[1]..channels)).transpose()?,
        ])
    }
}
