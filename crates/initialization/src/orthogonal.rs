//! Orthogonal matrices, spread evenly over all of them: the Q of a normal matrix, with its signs set.

use crate::law::finite;
use crate::stream::Stream;
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::{Error, Result, Scalar, Shape, Tensor};

pub(crate) const FORMULA: Formula = Formula {
    id: "orthogonal-init",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Orthogonal weights",
    latex: r"W = g\, Q \operatorname{sign}(\operatorname{diag} R), \qquad Z = QR, \quad Z_{ij} \sim \mathcal N(0, 1)",
    unicode: "W = g·Q·sign(diag R), Z = QR, Zᵢⱼ ~ N(0, 1)",
    symbols: &[
        Symbol {
            latex: "W",
            code: "w",
            meaning: "the weights: orthogonal columns, or rows where there are fewer of them",
            shape: "[in, out]",
            unit: "1",
        },
        Symbol {
            latex: "g",
            code: "gain",
            meaning: "the gain: every singular value of W",
            shape: "[]",
            unit: "1",
        },
        Symbol {
            latex: "Z",
            code: "z",
            meaning: "a matrix of standard normals, at least as high as wide",
            shape: "[max, min]",
            unit: "1",
        },
        Symbol { latex: "Q", code: "q", meaning: "orthonormal columns", shape: "[max, min]", unit: "1" },
        Symbol { latex: "R", code: "r", meaning: "upper triangular", shape: "[min, min]", unit: "1" },
    ],
    source: "Saxe, McClelland & Ganguli 2014, §3; the signs: Mezzadri 2007, How to Generate Random Matrices, §5",
    item: item!(fn orthogonal),
    chapter: "initialization",
    printed: None,
};

/// A matrix whose rows or columns, whichever are fewer, are orthogonal and of length `gain`, spread evenly over all such matrices.
///
/// **Formula** `orthogonal-init`: W = g·Q·sign(diag R) with Z = QR, Z normal.
///
/// **Shapes**: any of at least two dimensions; all but the first are taken as one, as for the kernels of a convolution, `[out, in, kH, kW]`. A dense layer's are `[in, out]`.
///
/// **Units**: 1; every singular value is the gain.
///
/// **Numerics**: Q is unique only where the signs of R's diagonal are fixed, and only with a positive diagonal is its law Haar's. The decomposition that is called here
/// has such a diagonal already; others (LAPACK's) have not, so that the signs are set all the same.
///
/// **Errors**: fewer than two dimensions, a dimension of 0, a gain that is not finite.
///
/// **Source**: Saxe, McClelland & Ganguli 2014; Mezzadri 2007.
///
/// ```
/// use gradus_initialization::{Stream, orthogonal};
/// use gradus_tensor::Tensor;
/// let w = orthogonal::<f64>([3, 5], 2.0, Stream::new(1))?;
/// let gram = w.matmul(&w.transpose()?)?;
/// assert!(gram.all_close(&Tensor::eye(3)?.scale(4.0), 0.0, 1e-14)?);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn orthogonal<T: Scalar>(shape: impl AsRef<[usize]>, gain: f64, stream: Stream) -> Result<Tensor<T>> {
    let shape = Shape::new(shape)?;
    let gain = T::of(finite("orthogonal", "gain", gain)?);
    let (rows, cols) = match shape.dims() {
        [rows, rest @ ..] if !rest.is_empty() && shape.elements() > 0 => (*rows, rest.iter().product()),
        _ => {
            let expected = "at least two dimensions, none of them 0".into();
            return Err(Error::Shape { op: "orthogonal", expected, got: shape });
        }
    };
    let z: Tensor<T> = stream.normal([rows.max(cols), rows.min(cols)])?;
    let (mut q, r) = z.qr()?;
    let width = rows.min(cols);
    let signed: Vec<T> =
        (0..width).map(|i| if r.as_slice()[i * width + i] < T::ZERO { -gain } else { gain }).collect();
    for row in q.as_mut_slice().chunks_exact_mut(width) {
        row.iter_mut().zip(&signed).for_each(|(w, &gain)| *w *= gain);
    }
    if rows < cols { q.transpose()?.reshape(shape) } else { q.reshape(shape) }
}
