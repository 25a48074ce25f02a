//! What writes an ONNX graph: nodes, constants and shapes, each under a name of its own.

use super::proto::{
    Attribute, AttributeKind, Dimension, Element, Graph, Kind, Node, Shape, Size, Tensor as Constant,
    TensorKind, ValueInfo,
};
use gradus_tensor::{Scalar, Tensor};
use std::collections::{BTreeSet, HashMap};

/// The names of what comes in and goes out, and of the dimension that is left open.
pub(super) const IMAGE: &str = "image";
pub(super) const SCORES: &str = "scores";
const BATCH: &str = "batch";

/// A size as ONNX has them.
pub(super) fn whole(size: usize) -> i64 {
    // What is beyond is beyond any memory.
    i64::try_from(size).unwrap_or(i64::MAX)
}

fn attribute(name: &str, kind: AttributeKind) -> Attribute {
    Attribute { name: Some(name.into()), kind: Some(kind.into()), ..Attribute::default() }
}

pub(super) fn int(name: &str, value: usize) -> Attribute {
    Attribute { i: Some(whole(value)), ..attribute(name, AttributeKind::Int) }
}

pub(super) fn ints(name: &str, values: impl IntoIterator<Item = usize>) -> Attribute {
    Attribute { ints: values.into_iter().map(whole).collect(), ..attribute(name, AttributeKind::Ints) }
}

pub(super) fn float(name: &str, value: f64) -> Attribute {
    Attribute { f: Some(value as f32), ..attribute(name, AttributeKind::Float) }
}

pub(super) fn text(name: &str, value: &str) -> Attribute {
    Attribute { s: Some(value.as_bytes().to_vec()), ..attribute(name, AttributeKind::String) }
}

/// A value for a batch of samples of this shape.
fn info(name: &str, sample: &[usize]) -> ValueInfo {
    let fixed = sample.iter().map(|&size| Size::Value(whole(size)));
    let sizes = std::iter::once(Size::Symbol(BATCH.into())).chain(fixed);
    let dim = sizes.map(|size| Dimension { size: Some(size) }).collect();
    let tensor = TensorKind { element: Some(Element::Float.into()), shape: Some(Shape { dim }) };
    ValueInfo { name: Some(name.into()), kind: Some(Kind { tensor: Some(tensor) }) }
}

/// An ONNX graph while it is written.
pub(super) struct Writer {
    nodes: Vec<Node>,
    constants: Vec<Constant>,
    /// Where the constants stand, by their names.
    places: HashMap<String, usize>,
    shapes: Vec<ValueInfo>,
    taken: BTreeSet<String>,
}

impl Writer {
    pub(super) fn new() -> Self {
        let taken = [IMAGE, SCORES].map(String::from).into();
        Self { nodes: Vec::new(), constants: Vec::new(), places: HashMap::new(), shapes: Vec::new(), taken }
    }

    /// A name that nothing else has: the one that is wished for, or the next that is free.
    fn claim(&mut self, wish: String) -> String {
        let mut name = wish.clone();
        let mut number = 2;
        while !self.taken.insert(name.clone()) {
            name = format!("{wish}/{number}");
            number += 1;
        }
        name
    }

    /// An operation, and the value that it makes, both of this name.
    pub(super) fn node(
        &mut self,
        op: &str,
        name: impl Into<String>,
        inputs: impl IntoIterator<Item = String>,
        attributes: impl IntoIterator<Item = Attribute>,
    ) -> String {
        let name = self.claim(name.into());
        self.nodes.push(Node {
            input: inputs.into_iter().collect(),
            output: vec![name.clone()],
            name: Some(name.clone()),
            op_type: Some(op.into()),
            attribute: attributes.into_iter().collect(),
        });
        name
    }

    /// A constant of this name, or the one that says the same already: weights that several steps share are written once.
    fn constant(&mut self, name: String, element: Element, dims: &[usize], bytes: Vec<u8>) -> String {
        let mut constant = Constant {
            dims: dims.iter().map(|&size| whole(size)).collect(),
            data_type: Some(element.into()),
            name: Some(name),
            raw_data: Some(bytes),
        };
        let wish = constant.name.clone().unwrap_or_default();
        if self.places.get(&wish).is_some_and(|&place| self.constants[place] == constant) {
            return wish;
        }
        let name = self.claim(wish);
        constant.name = Some(name.clone());
        self.places.insert(name.clone(), self.constants.len());
        self.constants.push(constant);
        name
    }

    /// A constant tensor, in single precision.
    pub(super) fn tensor<T: Scalar>(&mut self, name: impl Into<String>, tensor: &Tensor<T>) -> String {
        let mut bytes = Vec::with_capacity(4 * tensor.len());
        for x in tensor.as_slice() {
            bytes.extend_from_slice(&(x.as_f64() as f32).to_le_bytes());
        }
        self.constant(name.into(), Element::Float, tensor.dims(), bytes)
    }

    /// A constant number.
    pub(super) fn number(&mut self, name: impl Into<String>, value: f64) -> String {
        self.constant(name.into(), Element::Float, &[], (value as f32).to_le_bytes().to_vec())
    }

    /// A constant list of numbers.
    pub(super) fn numbers(&mut self, name: impl Into<String>, values: &[f64], dims: &[usize]) -> String {
        let bytes = values.iter().flat_map(|&x| (x as f32).to_le_bytes()).collect();
        self.constant(name.into(), Element::Float, dims, bytes)
    }

    /// A constant list of whole numbers.
    pub(super) fn list(&mut self, name: impl Into<String>, values: &[usize]) -> String {
        let bytes = values.iter().flat_map(|&size| whole(size).to_le_bytes()).collect();
        self.constant(name.into(), Element::Int64, &[values.len()], bytes)
    }

    /// Says which shape a value has, for one sample.
    pub(super) fn shape(&mut self, value: &str, sample: &[usize]) {
        let known = |info: &ValueInfo| info.name.as_deref() == Some(value);
        if value != IMAGE && !self.shapes.iter().any(known) {
            self.shapes.push(info(value, sample));
        }
    }

    /// The graph, whose result is this value.
    pub(super) fn finish(mut self, name: &str, image: &[usize], result: &str, scores: &[usize]) -> Graph {
        let result = match result {
            IMAGE => self.node("Identity", "identity", [IMAGE.into()], []),
            other => other.to_owned(),
        };
        let values = self.nodes.iter_mut().flat_map(|node| node.input.iter_mut().chain(&mut node.output));
        values.filter(|value| **value == result).for_each(|value| *value = SCORES.into());
        self.shapes.retain(|info| info.name.as_deref() != Some(&result));
        Graph {
            node: self.nodes,
            name: Some(name.into()),
            initializer: self.constants,
            input: vec![info(IMAGE, image)],
            output: vec![info(SCORES, scores)],
            value_info: self.shapes,
        }
    }
}
