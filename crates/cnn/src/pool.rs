//! Pooling: a window's largest number, or its mean, channel by channel.

use crate::conv::expect;
use crate::kernel::{plane::Plane, pooling};
use crate::{Geometry, Window};
use gradus_autograd::Op;
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::kernel::{for_each_block, for_each_block_of_two, vectorize};
use gradus_tensor::{Error, Result, Scalar, Shape, Tensor};

const X: Symbol = Symbol { latex: "x", code: "x", meaning: "the images", shape: "[N, C, H, W]", unit: "any" };
const READ: Symbol = Symbol {
    latex: r"\mathcal{W}_{ij}",
    code: "taps",
    meaning: "the pixels that the window of output (i, j) lies on; padding is none of them",
    shape: "[]",
    unit: "index",
};

pub(crate) const FORMULA_MAX: Formula = Formula {
    id: "max-pool",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Max pooling",
    latex: r"y_{ncij} = \max_{(h, l) \in \mathcal{W}_{ij}} x_{nchl}",
    unicode: "y[n, c, i, j] = max of x[n, c, h, l] over the pixels (h, l) of window (i, j)",
    symbols: &[X, READ],
    source: "Ranzato, Huang, Boureau & LeCun 2007; Goodfellow, Bengio & Courville 2016, §9.3",
    item: item!(struct MaxPool),
    chapter: "pooling",
    printed: None,
};

pub(crate) const FORMULA_AVERAGE: Formula = Formula {
    id: "average-pool",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Average pooling",
    latex: r"y_{ncij} = \frac{1}{\left|\mathcal{W}_{ij}\right|} \sum_{(h, l) \in \mathcal{W}_{ij}} x_{nchl}",
    unicode: "y[n, c, i, j] = the mean of x[n, c, h, l] over the pixels (h, l) of window (i, j)",
    symbols: &[X, READ],
    source: "LeCun et al. 1989; Goodfellow, Bengio & Courville 2016, §9.3",
    item: item!(struct AveragePool),
    chapter: "pooling",
    printed: None,
};

pub(crate) const FORMULA_DEPTH: Formula = Formula {
    id: "pool-output-d",
    kind: Kind::Claim,
    verdict: Verdict::Ok,
    title: "Pooling leaves the channels alone",
    latex: r"D_{\text{out}} = D_{\text{in}}",
    unicode: "D_out = D_in",
    symbols: &[Symbol {
        latex: "D",
        code: "C",
        meaning: "the channels, before and after",
        shape: "[]",
        unit: "count",
    }],
    source: "Krizhevsky, Sutskever & Hinton 2012, §3.4",
    item: item!(struct MaxPool),
    chapter: "pooling",
    printed: None,
};

/// How much a window along one axis reads.
#[derive(Debug, Clone, Copy)]
struct Reads {
    count: usize,
    /// The taps that lie on elements or on padding.
    inside: usize,
}

/// The geometry of a pooling.
struct Grid {
    plane: Plane,
    reads: [Vec<Reads>; 2],
    output: [usize; 4],
}

impl Grid {
    fn new(op: &'static str, windows: [Window; 2], ceil: bool, x: Shape) -> Result<Self> {
        let &[batch, channels, height, width] = x.dims() else {
            return Err(Error::Shape { op, expected: "x of the shape [N, C, H, W]".into(), got: x });
        };
        let rows = reads(op, windows[0], ceil, height)?;
        let columns = reads(op, windows[1], ceil, width)?;
        let output = [batch, channels, rows.len(), columns.len()];
        if u32::try_from(height * width).is_err() {
            let value = format!("{height}×{width}");
            return Err(Error::Argument { op, name: "image", value, allowed: "at most 2³² pixels".into() });
        }
        let plane = Plane::new(windows, [height, width], [rows.len(), columns.len()]);
        Ok(Self { plane, reads: [rows, columns], output })
    }

    /// The pixels of an image, and of an output.
    fn sizes(&self) -> [usize; 2] {
        [self.plane.input, self.plane.output].map(|[height, width]| height * width)
    }
}

/// The gradient of x, plane by plane: `add(plane, dx)` adds to zeros.
fn gradient<T: Scalar>(
    grid: &Grid,
    x: Shape,
    wanted: bool,
    add: impl Fn(usize, &mut [T]) + Sync,
) -> Result<[Option<Tensor<T>>; 1]> {
    if !wanted {
        return Ok([None]);
    }
    let [plane, _] = grid.sizes();
    let dx = Tensor::compute(x.dims(), |dx| {
        for_each_block(dx, plane, |p, dx| {
            dx.fill(T::ZERO);
            add(p, dx);
        });
    })?;
    Ok([Some(dx)])
}

/// What each window along an axis reads: at least one element.
fn reads(op: &'static str, window: Window, ceil: bool, n: usize) -> Result<Vec<Reads>> {
    let during = |geometry: Geometry| geometry.during(op);
    let count = if ceil { window.output_ceil(n) } else { window.output(n) }.map_err(during)?;
    let end = n + window.padding[0] + window.padding[1];
    let of = |position: usize| -> Result<Reads> {
        let taps = if ceil { window.taps_ceil(n, position) } else { window.taps(n, position) };
        let taps = taps.map_err(during)?;
        let (count, start) = (taps.len(), position * window.stride);
        if count == 0 {
            let (value, [before, after]) = (format!("window {position}"), window.padding);
            let allowed = format!(
                "windows that lie on an element; those at the ends lie on the padding {before}+{after} alone"
            );
            return Err(Error::Argument { op, name: "padding", value, allowed });
        }
        let inside = (0..window.size).take_while(|tap| start + tap * window.dilation < end).count();
        Ok(Reads { count, inside })
    };
    (0..count).map(of).collect()
}

/// Max pooling as an operation on `[x]`.
///
/// **Formula** `max-pool`: y\[n, c, i, j\] is the largest x\[n, c, h, l\] of the pixels (h, l) that window (i, j) lies on.
///
/// **Shapes**: x `[N, C, H, W]`; the result `[N, C, O, O']` with the O of [`Window::output`], or of [`Window::output_ceil`] after
/// [`ceil`](Self::ceil). **Units**: those of the data.
///
/// **Gradient**: each dy goes to the pixel that was the largest, whole, and to no other; of equal ones to the first, row by row. (The maximum has no
/// derivative there; any share of them would be a subgradient.)
///
/// **Numerics**: exact. Padding counts as −∞, not as 0. A NaN in a window is its result.
///
/// **Errors**: another rank, a geometry in which no window fits, a window that lies on padding alone.
///
/// **Source**: Ranzato, Huang, Boureau & LeCun 2007.
///
/// ```
/// use gradus_autograd::Op;
/// use gradus_cnn::{MaxPool, Window};
/// use gradus_tensor::Tensor;
/// let x = Tensor::from([[1.0, 2.0, 5.0], [4.0, 3.0, 0.0]]).reshape([1, 1, 2, 3])?;
/// let pool = MaxPool::new([Window::new(2); 2]);
/// let (y, at) = pool.forward([&x])?;
/// assert_eq!(y.as_slice(), [4.0, 5.0]);
/// let [dx] = pool.vjp([&x], &at, &Tensor::from([[[[10.0, 1.0]]]; 1]), [true])?;
/// assert_eq!(dx.map(|dx| dx.into_vec()), Some(vec![0.0, 0.0, 1.0, 10.0, 0.0, 0.0]));
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MaxPool {
    windows: [Window; 2],
    ceil: bool,
}

impl MaxPool {
    /// With a window down and a window across.
    #[must_use]
    pub const fn new(windows: [Window; 2]) -> Self {
        Self { windows, ceil: false }
    }

    /// The window down and the window across.
    #[must_use]
    pub const fn windows(&self) -> [Window; 2] {
        self.windows
    }

    /// The same with the number of windows rounded up: what sticks out behind is left out.
    #[must_use]
    pub const fn ceil(self) -> Self {
        Self { ceil: true, ..self }
    }
}

impl<T: Scalar> Op<T, 1> for MaxPool {
    /// For each output the pixel that was the largest, as its number within its plane: four bytes an output.
    type Saved = Tensor<u32>;

    fn forward(&self, [x]: [&Tensor<T>; 1]) -> Result<(Tensor<T>, Tensor<u32>)> {
        let grid = Grid::new("max_pool", self.windows, self.ceil, x.shape())?;
        let [plane, outputs] = grid.sizes();
        let mut places = Tensor::<u32>::compute(grid.output, |_| ())?;
        let y = Tensor::compute(grid.output, |y| {
            for_each_block_of_two((y, outputs), (places.as_mut_slice(), outputs), |p, y, places| {
                pooling::largest(&grid.plane, &x.as_slice()[p * plane..][..plane], y, places);
            });
        })?;
        Ok((y, places))
    }

    fn vjp(
        &self,
        [x]: [&Tensor<T>; 1],
        places: &Tensor<u32>,
        dy: &Tensor<T>,
        [wanted]: [bool; 1],
    ) -> Result<[Option<Tensor<T>>; 1]> {
        let grid = Grid::new("max_pool", self.windows, self.ceil, x.shape())?;
        expect("max_pool", "dy", &grid.output, dy.shape())?;
        let [_, outputs] = grid.sizes();
        gradient(&grid, x.shape(), wanted, |p, dx| {
            let of_plane = p * outputs..(p + 1) * outputs;
            for (&at, &dy) in places.as_slice()[of_plane.clone()].iter().zip(&dy.as_slice()[of_plane]) {
                dx[at as usize] += dy;
            }
        })
    }

    fn eval(&self, [x]: [&Tensor<T>; 1]) -> Result<Tensor<T>> {
        let grid = Grid::new("max_pool", self.windows, self.ceil, x.shape())?;
        let [plane, outputs] = grid.sizes();
        Tensor::compute(grid.output, |y| {
            for_each_block(y, outputs, |p, y| {
                pooling::largest_only(&grid.plane, &x.as_slice()[p * plane..][..plane], y);
            });
        })
    }
}

/// Average pooling as an operation on `[x]`.
///
/// **Formula** `average-pool`: y\[n, c, i, j\] is the mean of x\[n, c, h, l\] over the pixels (h, l) that window (i, j) lies on.
///
/// **Shapes**: x `[N, C, H, W]`; the result `[N, C, O, O']` with the O of [`Window::output`], or of [`Window::output_ceil`] after
/// [`ceil`](Self::ceil). A window of the image's size gives one number a channel: global average pooling. **Units**: those of the data.
///
/// **Gradient**: each pixel of a window gets the same share of its dy.
///
/// **Numerics**: the sum goes row by row (the rows of a window that is 16 wide or more are added up first, by halves), then one quotient. Padding is left out of the mean; [`count_padding`](Self::count_padding) counts it as
/// zeros, as PyTorch does unless told otherwise.
///
/// **Errors**: as [`MaxPool`].
///
/// **Source**: LeCun et al. 1989.
///
/// ```
/// use gradus_autograd::Op;
/// use gradus_cnn::{AveragePool, Window};
/// use gradus_tensor::Tensor;
/// let x = Tensor::from([[[[2.0, 4.0, 9.0]]]; 1]);
/// let pool = AveragePool::new([Window::new(1), Window::new(2).stride(2).padded_by(1, 0)]);
/// assert_eq!(pool.eval([&x])?.as_slice(), [2.0, 6.5]);
/// assert_eq!(pool.count_padding().eval([&x])?.as_slice(), [1.0, 6.5]);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AveragePool {
    windows: [Window; 2],
    ceil: bool,
    count_padding: bool,
}

impl AveragePool {
    /// With a window down and a window across.
    #[must_use]
    pub const fn new(windows: [Window; 2]) -> Self {
        Self { windows, ceil: false, count_padding: false }
    }

    /// The window down and the window across.
    #[must_use]
    pub const fn windows(&self) -> [Window; 2] {
        self.windows
    }

    /// The same with the number of windows rounded up: what sticks out behind is left out.
    #[must_use]
    pub const fn ceil(self) -> Self {
        Self { ceil: true, ..self }
    }

    /// Whether the padding counts, as zeros.
    #[must_use]
    pub const fn counts_padding(&self) -> bool {
        self.count_padding
    }

    /// The same with the padding counted as zeros.
    #[must_use]
    pub const fn count_padding(self) -> Self {
        Self { count_padding: true, ..self }
    }

    /// How many numbers the windows' sums are divided by, as a factor for the row and one for the column.
    fn divisors<T: Scalar>(&self, grid: &Grid) -> [Vec<T>; 2] {
        let count = |reads: &Reads| T::of(if self.count_padding { reads.inside } else { reads.count } as f64);
        grid.reads.each_ref().map(|reads| reads.iter().map(count).collect())
    }
}

/// Divides each window's number. (Counts of pixels and their products are exact.)
fn divide<T: Scalar>([rows, columns]: &[Vec<T>; 2], y: &mut [T]) {
    vectorize(
        #[inline(always)]
        || {
            for (y, &rows) in y.chunks_exact_mut(columns.len()).zip(rows) {
                for (y, &columns) in y.iter_mut().zip(columns) {
                    *y /= rows * columns;
                }
            }
        },
    );
}

impl<T: Scalar> Op<T, 1> for AveragePool {
    /// Nothing: the shares follow from the shape.
    type Saved = ();

    fn forward(&self, [x]: [&Tensor<T>; 1]) -> Result<(Tensor<T>, ())> {
        let grid = Grid::new("average_pool", self.windows, self.ceil, x.shape())?;
        let divisors = self.divisors(&grid);
        let [plane, outputs] = grid.sizes();
        let y = Tensor::compute(grid.output, |y| {
            for_each_block(y, outputs, |p, y| {
                pooling::sums(&grid.plane, &x.as_slice()[p * plane..][..plane], y);
                divide(&divisors, y);
            });
        })?;
        Ok((y, ()))
    }

    fn vjp(
        &self,
        [x]: [&Tensor<T>; 1],
        (): &(),
        dy: &Tensor<T>,
        [wanted]: [bool; 1],
    ) -> Result<[Option<Tensor<T>>; 1]> {
        let grid = Grid::new("average_pool", self.windows, self.ceil, x.shape())?;
        let divisors = self.divisors(&grid);
        expect("average_pool", "dy", &grid.output, dy.shape())?;
        let [_, outputs] = grid.sizes();
        gradient(&grid, x.shape(), wanted, |p, dx| {
            let mut shares = dy.as_slice()[p * outputs..][..outputs].to_vec();
            divide(&divisors, &mut shares);
            pooling::spread(&grid.plane, &shares, dx);
        })
    }
}
