//! nalgebra both ways: a 2-D tensor *is* a matrix view.

use crate::{Error, Result, Scalar, Shape, Tensor};
use nalgebra::{DMatrix, DVector, Dyn, MatrixView};

impl<T: Scalar> Tensor<T> {
    /// This 2-D tensor as a nalgebra matrix, without a copy: strides `(cols, 1)`.
    ///
    /// ```
    /// use gradus_tensor::Tensor;
    /// let x = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.as_matrix()?[(1, 0)], 3.0);
    /// assert_eq!(x.as_matrix()?.trace(), 5.0);
    /// # Ok::<(), gradus_tensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// If there are not two dimensions.
    pub fn as_matrix(&self) -> Result<MatrixView<'_, T, Dyn, Dyn, Dyn, Dyn>> {
        let (rows, cols) = self.matrix_dims("as_matrix")?;
        Ok(MatrixView::from_slice_with_strides_generic(
            self.as_slice(),
            Dyn(rows),
            Dyn(cols),
            Dyn(cols),
            Dyn(1),
        ))
    }

    /// This 2-D tensor as a matrix of its own.
    ///
    /// # Errors
    /// If there are not two dimensions.
    pub fn to_matrix(&self) -> Result<DMatrix<T>> {
        let (rows, cols) = self.matrix_dims("to_matrix")?;
        Ok(DMatrix::from_row_slice(rows, cols, self.as_slice()))
    }

    /// This 1-D tensor as a vector of its own.
    ///
    /// # Errors
    /// If there is not one dimension.
    pub fn to_vector(&self) -> Result<DVector<T>> {
        match *self.dims() {
            [_] => Ok(DVector::from_column_slice(self.as_slice())),
            _ => Err(Error::shape("to_vector", "one dimension", self.shape())),
        }
    }

    pub(crate) fn matrix_dims(&self, op: &'static str) -> Result<(usize, usize)> {
        match *self.dims() {
            [rows, cols] => Ok((rows, cols)),
            _ => Err(Error::shape(op, "two dimensions", self.shape())),
        }
    }
}

fn exists(dims: &[usize]) -> Shape {
    match Shape::new(dims) {
        Ok(shape) => shape,
        Err(_) => unreachable!("the matrix exists, so its shape fits memory"),
    }
}

impl<T: Scalar> From<&DMatrix<T>> for Tensor<T> {
    fn from(matrix: &DMatrix<T>) -> Self {
        // nalgebra stores columns: the transpose's columns are our rows.
        Self::known(matrix.transpose().as_slice().to_vec(), exists(&[matrix.nrows(), matrix.ncols()]))
    }
}

impl<T: Scalar> From<&DVector<T>> for Tensor<T> {
    fn from(vector: &DVector<T>) -> Self {
        Self::known(vector.as_slice().to_vec(), exists(&[vector.len()]))
    }
}
