#![doc = include_str!("../README.md")]
#![warn(clippy::undocumented_unsafe_blocks)]

mod buffer;
mod compare;
mod construct;
mod display;
mod element;
mod elementwise;
mod error;
mod few;
mod layout;
mod linalg;
pub mod math;
mod matrix;
mod micro;
mod nested;
mod packed;
mod panels;
mod parallel;
mod product;
#[cfg(feature = "properties")]
mod properties;
mod reduce;
mod row;
#[cfg(feature = "safetensors")]
mod safetensors_file;
#[cfg(feature = "serde")]
mod serialize;
mod shape;
mod tall;
mod tensor;
mod view;
#[cfg(feature = "files")]
mod whole_file;

pub use element::{Dtype, Element, Scalar};
pub use error::{Error, Result};
pub use linalg::Svd;
pub use nested::Nested;
pub use parallel::with_threads;
#[cfg(feature = "properties")]
pub use properties::{PROPERTIES, properties, rng, tensor_of};
#[cfg(feature = "safetensors")]
pub use safetensors_file::{AnyTensor, load_safetensors, load_safetensors_where, save_safetensors};
pub use shape::{MAX_RANK, Shape};
pub use tensor::Tensor;
pub use view::Transpose;
#[cfg(feature = "files")]
pub use whole_file::write_whole;

/// The free buffers that tensors take and give back: figures, limits.
pub mod buffers {
    pub use crate::buffer::{Statistics, release, set_limit, statistics};
}

/// Doors for the kernels of topic crates: the best instruction set, all cores, scratch memory, products on slices. All safe.
pub mod kernel {
    pub use crate::math::vectorize;
    pub use crate::panels::{fetch, transpose_into};
    pub use crate::parallel::{BLOCK, for_each_block, for_each_block_of_two, map_blocks, threads};
    pub use crate::product::{
        Epilogue, product, product_by_rows, product_in_place, product_into, product_of_rows,
    };
    pub use crate::tall::gram_by;
    pub use crate::view::{Rows, View};
    /// The loops that kernels are made of.
    pub mod row {
        pub use crate::row::{extreme, largest, map_sum, max, sum_by, sum_by_two, zip_map_sum};
    }
    pub use crate::reduce::{sum_by, sum_by_two};
}
