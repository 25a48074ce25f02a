//! The messages of ONNX that are needed, with the tags of its [`onnx.proto`](https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).

use prost::{Message, Oneof};

/// A model: a graph, and which operations it is written in.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Model {
    /// The version of these messages.
    #[prost(int64, optional, tag = "1")]
    pub ir_version: Option<i64>,
    /// Which program wrote it.
    #[prost(string, optional, tag = "2")]
    pub producer_name: Option<String>,
    /// The program's version.
    #[prost(string, optional, tag = "3")]
    pub producer_version: Option<String>,
    /// What is computed.
    #[prost(message, optional, tag = "7")]
    pub graph: Option<Graph>,
    /// The sets of operations.
    #[prost(message, repeated, tag = "8")]
    pub opset_import: Vec<OperatorSet>,
}

/// A set of operations.
#[derive(Clone, PartialEq, Eq, Hash, Message)]
pub(crate) struct OperatorSet {
    /// Whose; ONNX's own where it is empty.
    #[prost(string, optional, tag = "1")]
    pub domain: Option<String>,
    /// Which version of it.
    #[prost(int64, optional, tag = "2")]
    pub version: Option<i64>,
}

/// What is computed.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Graph {
    /// The operations, each after those that it reads.
    #[prost(message, repeated, tag = "1")]
    pub node: Vec<Node>,
    /// The graph's name.
    #[prost(string, optional, tag = "2")]
    pub name: Option<String>,
    /// The constants.
    #[prost(message, repeated, tag = "5")]
    pub initializer: Vec<Tensor>,
    /// What comes in.
    #[prost(message, repeated, tag = "11")]
    pub input: Vec<ValueInfo>,
    /// What goes out.
    #[prost(message, repeated, tag = "12")]
    pub output: Vec<ValueInfo>,
    /// The shapes in between.
    #[prost(message, repeated, tag = "13")]
    pub value_info: Vec<ValueInfo>,
}

/// An operation.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Node {
    /// The values that it reads.
    #[prost(string, repeated, tag = "1")]
    pub input: Vec<String>,
    /// The values that it makes.
    #[prost(string, repeated, tag = "2")]
    pub output: Vec<String>,
    /// The node's name.
    #[prost(string, optional, tag = "3")]
    pub name: Option<String>,
    /// Which operation it is.
    #[prost(string, optional, tag = "4")]
    pub op_type: Option<String>,
    /// What the operation has to be told.
    #[prost(message, repeated, tag = "5")]
    pub attribute: Vec<Attribute>,
}

/// A named number, text or list.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Attribute {
    /// Its name.
    #[prost(string, optional, tag = "1")]
    pub name: Option<String>,
    /// A number.
    #[prost(float, optional, tag = "2")]
    pub f: Option<f32>,
    /// A whole number.
    #[prost(int64, optional, tag = "3")]
    pub i: Option<i64>,
    /// A text.
    #[prost(bytes = "vec", optional, tag = "4")]
    pub s: Option<Vec<u8>>,
    /// Whole numbers.
    #[prost(int64, repeated, packed = "false", tag = "8")]
    pub ints: Vec<i64>,
    /// Which of them it is.
    #[prost(enumeration = "AttributeKind", optional, tag = "20")]
    pub kind: Option<i32>,
}

/// What an attribute is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
pub(crate) enum AttributeKind {
    /// Nothing.
    Undefined = 0,
    /// A number.
    Float = 1,
    /// A whole number.
    Int = 2,
    /// A text.
    String = 3,
    /// Whole numbers.
    Ints = 7,
}

/// A constant.
#[derive(Clone, PartialEq, Eq, Hash, Message)]
pub(crate) struct Tensor {
    /// Its shape.
    #[prost(int64, repeated, packed = "false", tag = "1")]
    pub dims: Vec<i64>,
    /// The type of its elements.
    #[prost(enumeration = "Element", optional, tag = "2")]
    pub data_type: Option<i32>,
    /// Its name.
    #[prost(string, optional, tag = "8")]
    pub name: Option<String>,
    /// Its elements, row by row, the lowest byte first.
    #[prost(bytes = "vec", optional, tag = "9")]
    pub raw_data: Option<Vec<u8>>,
}

/// The type of a tensor's elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
pub(crate) enum Element {
    /// None.
    Undefined = 0,
    /// Single precision.
    Float = 1,
    /// Whole numbers of 64 bits.
    Int64 = 7,
}

/// A value's name and type.
#[derive(Clone, PartialEq, Eq, Hash, Message)]
pub(crate) struct ValueInfo {
    /// Its name.
    #[prost(string, optional, tag = "1")]
    pub name: Option<String>,
    /// Its type.
    #[prost(message, optional, tag = "2")]
    pub kind: Option<Kind>,
}

/// A type: of the several that there are, a tensor's.
#[derive(Clone, PartialEq, Eq, Hash, Message)]
pub(crate) struct Kind {
    /// A tensor.
    #[prost(message, optional, tag = "1")]
    pub tensor: Option<TensorKind>,
}

/// A tensor's type.
#[derive(Clone, PartialEq, Eq, Hash, Message)]
pub(crate) struct TensorKind {
    /// The type of its elements.
    #[prost(enumeration = "Element", optional, tag = "1")]
    pub element: Option<i32>,
    /// Its shape.
    #[prost(message, optional, tag = "2")]
    pub shape: Option<Shape>,
}

/// A shape.
#[derive(Clone, PartialEq, Eq, Hash, Message)]
pub(crate) struct Shape {
    /// Dimension by dimension.
    #[prost(message, repeated, tag = "1")]
    pub dim: Vec<Dimension>,
}

/// A dimension.
#[derive(Clone, PartialEq, Eq, Hash, Message)]
pub(crate) struct Dimension {
    /// How large it is.
    #[prost(oneof = "Size", tags = "1, 2")]
    pub size: Option<Size>,
}

/// How large a dimension is.
#[derive(Clone, PartialEq, Eq, Hash, Oneof)]
pub(crate) enum Size {
    /// So large.
    #[prost(int64, tag = "1")]
    Value(i64),
    /// As large as whoever runs it wishes, under this name.
    #[prost(string, tag = "2")]
    Symbol(String),
}
