//! A network as a list of what is done: what somebody writes down who walks through it.

use crate::{Forward, Join, Network, Step, Walk};
use gradus_autograd::{Mode, Var};
use gradus_cnn::{ReceptiveField, Window};
use gradus_tensor::{Result, Scalar, Tensor};

/// What is done at a node.
#[derive(Debug, Clone, Copy)]
pub enum Action<'a, T: Scalar> {
    /// Nothing: the image comes in.
    Input,
    /// A step, from one value to the next.
    Step(Step<'a, T>),
    /// Two values come together.
    Join(Join),
}

impl<T: Scalar> Action<'_, T> {
    /// What kind of node it is, as tables call it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Input => "Input",
            Self::Step(step) => step.kind(),
            Self::Join(Join::Add) => "Add",
            Self::Join(Join::CropConcat) => "CropConcat",
        }
    }
}

/// A value of a network, and how it comes about.
#[derive(Debug, Clone)]
pub struct Node<'a, T: Scalar> {
    /// The step's name, with the names of the parts that it is in: that of its parameters.
    pub name: String,
    /// What is done.
    pub action: Action<'a, T>,
    /// Of which nodes, by their places in the list: one, or two, or none for the image.
    pub inputs: Vec<usize>,
    /// The shape of the result, for one image: `[C, H, W]`, or `[D]`.
    pub shape: Vec<usize>,
    /// What an element of the result can know of, down and across; none where it is everything, or where the maps have grown again.
    pub field: Option<[ReceptiveField; 2]>,
}

/// A network as a list of nodes, each of which reads earlier ones.
///
/// ```
/// use gradus_architectures::{Graph, ResNet, ResNetShape, Start};
/// let net = ResNet::<f32>::new(&ResNetShape::resnet18(), &mut Start::Blank)?;
/// let graph = Graph::of(&net, [3, 224, 224])?;
/// let pool = graph.nodes().iter().find(|node| node.name == "maxpool").ok_or("no pooling")?;
/// assert_eq!(pool.shape, [64, 56, 56]);
/// assert_eq!(graph.nodes()[graph.result()].shape, [1000]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Graph<'a, T: Scalar> {
    nodes: Vec<Node<'a, T>>,
    result: usize,
}

impl<'a, T: Scalar> Graph<'a, T> {
    /// What a network does with an image of this shape, `[C, H, W]`. Nothing is computed: the steps are shown a batch of no images.
    ///
    /// # Errors
    /// If the network does not take such an image.
    pub fn of(network: &'a impl Network<T>, image: [usize; 3]) -> Result<Self> {
        let field = Some([ReceptiveField::new(); 2]);
        let input = Node {
            name: "image".into(),
            action: Action::Input,
            inputs: Vec::new(),
            shape: image.to_vec(),
            field,
        };
        let mut record = Record { nodes: vec![input], parts: Vec::new() };
        let result = network.walk(&mut record, 0)?;
        Ok(Self { nodes: record.nodes, result })
    }

    /// The nodes, in their order; the first is the image.
    #[must_use]
    pub fn nodes(&self) -> &[Node<'a, T>] {
        &self.nodes
    }

    /// The place of the node that is the network's result: the last one, unless something is walked by that nobody reads.
    #[must_use]
    pub fn result(&self) -> usize {
        self.result
    }
}

/// Somebody who writes down.
struct Record<'a, T: Scalar> {
    nodes: Vec<Node<'a, T>>,
    parts: Vec<String>,
}

impl<'a, T: Scalar> Record<'a, T> {
    /// A value of no images.
    fn nothing(&self, node: usize) -> Result<Var<T>> {
        let mut dims = vec![0];
        dims.extend(&self.nodes[node].shape);
        Ok(Var::constant(Tensor::zeros(dims)?))
    }

    fn push(
        &mut self,
        name: &str,
        action: Action<'a, T>,
        inputs: Vec<usize>,
        result: &Var<T>,
        field: Option<[ReceptiveField; 2]>,
    ) -> usize {
        let mut full = self.parts.join(".");
        if !full.is_empty() {
            full.push('.');
        }
        full.push_str(name);
        let shape = result.shape().dims().iter().skip(1).copied().collect();
        self.nodes.push(Node { name: full, action, inputs, shape, field });
        self.nodes.len() - 1
    }

    /// What a step's result can know of, after what its input can.
    fn field(&self, step: &Step<'a, T>, x: usize) -> Option<[ReceptiveField; 2]> {
        let below = self.nodes[x].field?;
        let seen = |windows: [Window; 2]| {
            let [down, across] = [0, 1].map(|axis| below[axis].push(windows[axis]).ok());
            Some([down?, across?])
        };
        match step {
            Step::Conv(layer) => seen(layer.shape().windows),
            Step::MaxPool(pool) => seen(pool.windows()),
            Step::MeanPool(pool) => seen(pool.windows()),
            Step::AveragePool(pool) => (self.nodes[x].shape.get(1..) == Some(&pool.size())).then_some(below),
            Step::ConvTranspose(_) | Step::Upsample(_) | Step::Linear(_) | Step::Flatten | Step::Own(..) => {
                None
            }
            Step::Norm(_)
            | Step::LocalNorm(_)
            | Step::Relu
            | Step::Squash(_)
            | Step::Widen(_)
            | Step::Dropout(_) => Some(below),
        }
    }
}

impl<'a, T: Scalar> Walk<'a, T> for Record<'a, T> {
    type Value = usize;

    fn step(&mut self, name: &str, step: Step<'a, T>, x: usize) -> Result<usize> {
        let y = Forward(&mut Mode::Eval).step(name, step, self.nothing(x)?)?;
        let field = self.field(&step, x);
        Ok(self.push(name, Action::Step(step), vec![x], &y, field))
    }

    fn join(&mut self, name: &str, join: Join, a: usize, b: usize) -> Result<usize> {
        let mut forward = Mode::Eval;
        let y =
            Walk::<'a, T>::join(&mut Forward(&mut forward), name, join, self.nothing(a)?, self.nothing(b)?)?;
        // Who sees more decides.
        let field = self.nodes[a].field.zip(self.nodes[b].field);
        let field = field.map(|(a, b)| if a[0].size() >= b[0].size() { a } else { b });
        Ok(self.push(name, Action::Join(join), vec![a, b], &y, field))
    }

    fn enter(&mut self, name: &str) {
        self.parts.push(name.into());
    }

    fn leave(&mut self) {
        self.parts.pop();
    }
}
