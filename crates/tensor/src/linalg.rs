//! Decompositions and solves: nalgebra's, with refusals instead of surprises; the singular values our own, by
//! one-sided Jacobi rotations, which keep small ones accurate (nalgebra's closed form for 2×2 blocks lost four
//! digits of an orthonormal factor; the property `tensor.svd` found it).

use crate::{Dtype, Error, Result, Scalar, Tensor};
use nalgebra::DMatrix;
use nalgebra::linalg::Cholesky;

/// The thin singular value decomposition X = U · diag(s) · Vᵀ, singular values in falling order.
#[derive(Debug, Clone)]
pub struct Svd<T: Scalar> {
    /// Left singular vectors, `[N, min(N, D)]`, orthonormal columns.
    pub u: Tensor<T>,
    /// Singular values, `[min(N, D)]`, the largest first.
    pub s: Tensor<T>,
    /// Right singular vectors as rows, `[min(N, D), D]`.
    pub vt: Tensor<T>,
}

/// How many sweeps over all pairs of columns the singular value decomposition may take; it needs about ten.
const SWEEPS: usize = 60;

impl<T: Scalar> Tensor<T> {
    pub(crate) fn finite(&self, op: &'static str) -> Result<()> {
        match self.as_slice().iter().position(|x| !x.is_finite()) {
            Some(index) => Err(Error::NotFinite { op, index, value: self.as_slice()[index].as_f64() }),
            None => Ok(()),
        }
    }

    fn square(&self, op: &'static str) -> Result<usize> {
        match self.matrix_dims(op)? {
            (n, m) if n == m => Ok(n),
            _ => Err(Error::shape(op, "a square matrix", self.shape())),
        }
    }

    /// The lower triangular L with A = L·Lᵀ, of a symmetric positive definite A (only its lower half is read).
    ///
    /// # Errors
    /// If A is not square, not finite, or not positive definite.
    pub fn cholesky(&self) -> Result<Self> {
        self.square("cholesky")?;
        self.finite("cholesky")?;
        let l =
            Cholesky::new(self.to_matrix()?).ok_or(Error::NotPositiveDefinite { op: "cholesky" })?.unpack();
        Ok(Self::from(&l))
    }

    /// The thin QR decomposition A = Q·R: orthonormal columns in Q, `[N, min(N, D)]`, R upper triangular.
    ///
    /// **Numerics**: Householder reflections of columns scaled by powers of two: no square of an element overflows
    /// or vanishes, however large or small it is.
    ///
    /// # Errors
    /// If A is no matrix or not finite.
    pub fn qr(&self) -> Result<(Self, Self)> {
        self.finite("qr")?;
        let (rows, cols) = self.matrix_dims("qr")?;
        if rows == 0 || cols == 0 {
            return Ok((Self::zeros([rows, 0])?, Self::zeros([0, cols])?));
        }
        let mut a = self.to_matrix()?;
        let scales = scale_columns(&mut a);
        let (q, mut r) = a.qr().unpack();
        r.column_iter_mut().zip(scales).for_each(|(mut column, scale)| column *= scale);
        Ok((Self::from(&q), Self::from(&r)))
    }

    /// The thin singular value decomposition.
    ///
    /// **Numerics**: accurate to a few roundings of the largest singular value at any scale, from the smallest numbers
    /// to the largest; a singular value below 10⁻²⁷⁶ (`f32`: 10⁻²⁴) of the largest is returned as 0, one beyond the
    /// largest number as ∞.
    ///
    /// # Errors
    /// If this is no matrix or not finite, or the iteration does not converge.
    pub fn svd(&self) -> Result<Svd<T>> {
        self.finite("svd")?;
        let (rows, cols) = self.matrix_dims("svd")?;
        if rows == 0 || cols == 0 {
            return Ok(Svd { u: Self::zeros([rows, 0])?, s: Self::zeros([0])?, vt: Self::zeros([0, cols])? });
        }
        // The taller way round, so that the rotations work on few columns; QR first, so that they are short.
        let wide = cols > rows;
        let mut a = if wide { self.to_matrix()?.transpose() } else { self.to_matrix()? };
        let scales = scale_columns(&mut a);
        let size = scales.iter().copied().fold(T::ZERO, T::max_or_nan);
        let (q, mut r) = a.qr().unpack();
        for (mut column, scale) in r.column_iter_mut().zip(scales) {
            if scale > T::ZERO {
                column *= scale / size; // at most 1
            }
        }
        let (w, mut s, v) = jacobi(r).ok_or(Error::NoConvergence { op: "svd", iterations: SWEEPS })?;
        s.iter_mut().for_each(|s| *s *= size);
        let (u, v) = (Self::from(&(q * w)), Self::from(&v));
        let (u, v) = if wide { (v, u) } else { (u, v) };
        Ok(Svd { u, s: Self::from(s), vt: v.transpose()? })
    }

    /// The singular values alone, the largest first: faster than [`svd`](Self::svd) for many columns.
    ///
    /// **Numerics**: each is accurate to a few roundings of the *largest*; what `svd` says of small ones does not hold here.
    ///
    /// ```
    /// use gradus_tensor::Tensor;
    /// let s = Tensor::from([[0.0, 2.0], [3.0, 0.0], [0.0, 0.0]]).singular_values()?;
    /// assert!(s.all_close(&Tensor::from([3.0, 2.0]), 0.0, 1e-14)?);
    /// # Ok::<(), gradus_tensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// If this is no matrix or not finite, or the iteration does not converge.
    pub fn singular_values(&self) -> Result<Self> {
        self.finite("singular_values")?;
        let (rows, cols) = self.matrix_dims("singular_values")?;
        // Jacobi's rotations are as quick for few columns; beyond, nalgebra's bidiagonal form.
        if rows.min(cols) <= 32 {
            return Ok(self.svd()?.s);
        }
        let size = self.abs().max()?;
        if size == T::ZERO {
            return Self::zeros([rows.min(cols)]);
        }
        let unit = self.map(|x| x / size).to_matrix()?;
        let svd = nalgebra::linalg::SVD::try_new(unit, false, false, T::EPSILON, 0);
        let svd = svd.ok_or(Error::NoConvergence { op: "singular_values", iterations: 0 })?;
        let mut s: Vec<T> = svd.singular_values.iter().map(|&s| s * size).collect();
        s.sort_by(|a, b| b.partial_cmp(a).unwrap_or(std::cmp::Ordering::Equal));
        Ok(Self::from(s))
    }

    /// x with L·x = b for lower triangular L (the rest of it is not read); b is `[N]` or `[N, K]`.
    ///
    /// # Errors
    /// If the shapes do not fit or a diagonal element is 0.
    pub fn solve_lower(&self, b: &Self) -> Result<Self> {
        self.solve_triangular("solve_lower", b, |l, x| l.solve_lower_triangular_mut(x))
    }

    /// x with U·x = b for upper triangular U (the rest of it is not read); b is `[N]` or `[N, K]`.
    ///
    /// # Errors
    /// If the shapes do not fit or a diagonal element is 0.
    pub fn solve_upper(&self, b: &Self) -> Result<Self> {
        self.solve_triangular("solve_upper", b, |u, x| u.solve_upper_triangular_mut(x))
    }

    fn solve_triangular(
        &self,
        op: &'static str,
        b: &Self,
        solve: impl Fn(&DMatrix<T>, &mut DMatrix<T>) -> bool,
    ) -> Result<Self> {
        let n = self.square(op)?;
        if b.rank() == 0 || b.rank() > 2 || b.dims()[0] != n {
            return Err(Error::shape(op, format!("a right side [{n}] or [{n}, K]"), b.shape()));
        }
        let a = self.to_matrix()?;
        if let Some(index) = (0..n).find(|&i| a[(i, i)] == T::ZERO) {
            return Err(Error::Singular { op, index });
        }
        let columns = if b.rank() == 2 { b.dims()[1] } else { 1 };
        let mut x = DMatrix::from_row_slice(n, columns, b.as_slice());
        if !solve(&a, &mut x) {
            return Err(Error::Singular { op, index: 0 });
        }
        Self::from(&x).reshape(b.shape())
    }
}

/// Divides each column by the power of two below its largest element, which rounds nothing: the squares of what is
/// left neither overflow nor vanish. Gives the powers back, 0 for a column of zeros.
fn scale_columns<T: Scalar>(a: &mut DMatrix<T>) -> Vec<T> {
    let scale = |mut column: nalgebra::DVectorViewMut<'_, T>| {
        let largest = column.amax().as_f64();
        if largest == 0.0 {
            return T::ZERO;
        }
        // The number without its fraction; a subnormal one has no power of its own.
        let power = f64::from_bits(largest.to_bits() & f64::INFINITY.to_bits()).max(f64::MIN_POSITIVE);
        column /= T::of(power);
        T::of(power)
    };
    a.column_iter_mut().map(scale).collect()
}

/// One-sided Jacobi: rotates pairs of columns of `w` until all are orthogonal. Then their lengths are the singular
/// values, and w · v = u · diag(s) for the product v of the rotations. Sorted, the largest value first.
///
/// The elements of `w` are about 1 or smaller. Each column is measured in its own unit, its largest element: small
/// columns have angles too, though their squared lengths vanish.
fn jacobi<T: Scalar>(mut w: DMatrix<T>) -> Option<(DMatrix<T>, Vec<T>, DMatrix<T>)> {
    let n = w.ncols();
    let mut v = DMatrix::identity(n, n);
    // A column below this is 0: its angles to the others, and quotients of lengths, would leave the range.
    let smallest = if T::DTYPE == Dtype::F32 { f32::MIN_POSITIVE.into() } else { f64::MIN_POSITIVE };
    let nothing = T::of(smallest) / (T::EPSILON * T::EPSILON);
    // Orthogonal up to the rounding of a product of n terms. Of a single rounding, pairs of columns that are nearly
    // equal fall short again and again, and the sweeps never end.
    let parallel = T::of(2.0 * (n as f64).sqrt()) * T::EPSILON;
    let mut turning = true;
    for _ in 0..SWEEPS {
        if !turning {
            break;
        }
        turning = false;
        for p in 0..n {
            for q in p + 1..n {
                let (sp, sq) = (w.column(p).amax(), w.column(q).amax());
                if sp < nothing || sq < nothing {
                    continue;
                }
                let (mut a, mut b, mut c) = (T::ZERO, T::ZERO, T::ZERO);
                for (&x, &y) in w.column(p).iter().zip(w.column(q).iter()) {
                    let (x, y) = (x / sp, y / sq);
                    a += x * x;
                    b += y * y;
                    c += x * y;
                }
                if c.abs() <= parallel * (a * b).sqrt() {
                    continue;
                }
                turning = true;
                // The rotation that makes the two columns orthogonal: t = tan of its angle, the smaller root.
                let zeta = (b * (sq / sp) - a * (sp / sq)) / (c + c);
                // For a large ζ the square would overflow; then t is 1/2ζ to the last place.
                let root =
                    if zeta.abs() * T::EPSILON > T::ONE { zeta.abs() } else { (T::ONE + zeta * zeta).sqrt() };
                let t = zeta.signum() / (zeta.abs() + root);
                let cos = T::ONE / (T::ONE + t * t).sqrt();
                let sin = cos * t;
                for m in [&mut w, &mut v] {
                    for i in 0..m.nrows() {
                        let (x, y) = (m[(i, p)], m[(i, q)]);
                        m[(i, p)] = cos * x - sin * y;
                        m[(i, q)] = sin * x + cos * y;
                    }
                }
            }
        }
    }
    if turning {
        return None;
    }
    // Each column as a unit vector, if it is one, and its length.
    let measured = w.column_iter().map(|column| {
        let unit = column.amax();
        if unit < nothing {
            return (T::ZERO, None);
        }
        let mut direction = column / unit;
        let length = direction.normalize_mut();
        (length * unit, Some(direction))
    });
    let measured: Vec<_> = measured.collect();
    let mut order: Vec<usize> = (0..n).collect();
    let falling = |&i: &usize, &j: &usize| {
        measured[j].0.partial_cmp(&measured[i].0).unwrap_or(std::cmp::Ordering::Equal)
    };
    order.sort_by(falling);
    let mut u = DMatrix::zeros(n, n);
    for (to, &from) in order.iter().enumerate() {
        let column = measured[from].1.clone().unwrap_or_else(|| completion(&u, to));
        u.set_column(to, &column);
    }
    let v = v.select_columns(&order);
    Some((u, order.iter().map(|&i| measured[i].0).collect(), v))
}

/// A unit vector orthogonal to the first `k` columns of `u`, for a singular value of 0.
fn completion<T: Scalar>(u: &DMatrix<T>, k: usize) -> nalgebra::DVector<T> {
    let n = u.nrows();
    let mut best = nalgebra::DVector::zeros(n);
    for axis in 0..n {
        let mut e = nalgebra::DVector::zeros(n);
        e[axis] = T::ONE;
        // Twice is enough: the second pass removes what rounding left of the first.
        for _ in 0..2 {
            for column in u.columns(0, k).column_iter() {
                e -= column * column.dot(&e);
            }
        }
        if e.norm() > best.norm() {
            best = e;
        }
    }
    let length = best.norm();
    best / length
}
