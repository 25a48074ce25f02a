//! Composition: a variable is a value, whether it is tracked, and the step that made it.
//!
//! Applying an operation to tracked variables records a step: the operation, its inputs, what it saved, and the
//! variables it came from. `backward` walks the steps from the last to the first. Every node has a number
//! larger than those of its parents, so "largest number first" is an order in which each node's gradient is
//! complete when its turn comes: no recursion, no second pass to sort.

use crate::{Error, Op, OpMany};
use gradus_tensor::{Scalar, Shape, Tensor};
use std::cell::Cell;
use std::collections::{BinaryHeap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// A variable of a differentiable computation: a shared node of its graph.
///
/// ```
/// use gradus_autograd::Var;
/// use gradus_tensor::Tensor;
/// let w = Var::parameter(Tensor::from([3.0f64, -1.0]));
/// let x = Var::constant(Tensor::from([2.0, 5.0]));
/// let loss = w.mul(&x)?.sum()?; // 3·2 − 1·5
/// assert_eq!(loss.item()?, 1.0);
/// let gradients = loss.backward()?;
/// assert_eq!(gradients.get(&w), Some(&Tensor::from([2.0, 5.0])));
/// assert_eq!(gradients.get(&x), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Var<T: Scalar = f32>(Arc<Node<T>>);

struct Node<T: Scalar> {
    /// Larger than the parents' numbers.
    id: u64,
    tracked: bool,
    /// A lock, because an optimiser writes a parameter that several layers may share.
    value: RwLock<Tensor<T>>,
    /// `None` for parameters and constants, and after a backward pass.
    step: Mutex<Option<Box<dyn Step<T>>>>,
    leaf: bool,
}

/// An applied operation, its type forgotten.
trait Step<T: Scalar>: Send + Sync {
    /// Hands ∂L/∂parent to `give` for every tracked parent.
    fn back(&self, dy: &Tensor<T>, give: &mut dyn FnMut(&Var<T>, Tensor<T>)) -> gradus_tensor::Result<()>;
    /// Lets go of the parents.
    fn release(self: Box<Self>, into: &mut Vec<Var<T>>);
}

enum Held<S> {
    Own(S),
    Shared(Arc<S>),
}

impl<S> Held<S> {
    fn get(&self) -> &S {
        match self {
            Held::Own(s) => s,
            Held::Shared(s) => s,
        }
    }
}

struct Applied<T: Scalar, O: Op<T, N>, const N: usize> {
    op: O,
    // The values at the time of the forward pass: a parameter written since does not change them.
    inputs: [Tensor<T>; N],
    saved: Held<O::Saved>,
    parents: [Option<Var<T>>; N],
}

impl<T: Scalar, O: Op<T, N>, const N: usize> Step<T> for Applied<T, O, N> {
    fn back(&self, dy: &Tensor<T>, give: &mut dyn FnMut(&Var<T>, Tensor<T>)) -> gradus_tensor::Result<()> {
        let wants = self.parents.each_ref().map(Option::is_some);
        let gradients = self.op.vjp(self.inputs.each_ref(), self.saved.get(), dy, wants)?;
        hand_on(&self.parents, &self.inputs, gradients.into(), give)
    }

    fn release(self: Box<Self>, into: &mut Vec<Var<T>>) {
        into.extend(self.parents.into_iter().flatten());
    }
}

struct AppliedMany<T: Scalar, O: OpMany<T>> {
    op: O,
    inputs: Vec<Tensor<T>>,
    saved: O::Saved,
    parents: Vec<Option<Var<T>>>,
}

impl<T: Scalar, O: OpMany<T>> Step<T> for AppliedMany<T, O> {
    fn back(&self, dy: &Tensor<T>, give: &mut dyn FnMut(&Var<T>, Tensor<T>)) -> gradus_tensor::Result<()> {
        let wants: Vec<bool> = self.parents.iter().map(Option::is_some).collect();
        let inputs: Vec<&Tensor<T>> = self.inputs.iter().collect();
        let gradients = self.op.vjp(&inputs, &self.saved, dy, &wants)?;
        hand_on(&self.parents, &self.inputs, gradients, give)
    }

    fn release(self: Box<Self>, into: &mut Vec<Var<T>>) {
        into.extend(self.parents.into_iter().flatten());
    }
}

/// Gives each tracked parent its gradient, if the `vjp` gave one for every input, in that input's shape.
fn hand_on<T: Scalar>(
    parents: &[Option<Var<T>>],
    inputs: &[Tensor<T>],
    gradients: Vec<Option<Tensor<T>>>,
    give: &mut dyn FnMut(&Var<T>, Tensor<T>),
) -> gradus_tensor::Result<()> {
    if gradients.len() != parents.len() {
        let (value, allowed) =
            (gradients.len().to_string(), format!("one for each of {} inputs", parents.len()));
        return Err(gradus_tensor::Error::Argument {
            op: "backward",
            name: "gradients of a vjp",
            value,
            allowed,
        });
    }
    for ((parent, input), gradient) in parents.iter().zip(inputs).zip(gradients) {
        if let (Some(parent), Some(gradient)) = (parent, gradient) {
            same_shape(
                gradient.shape(),
                input.shape(),
                "a vjp gave a gradient of another shape than its input",
            )?;
            give(parent, gradient);
        }
    }
    Ok(())
}

fn same_shape(left: Shape, right: Shape, why: &'static str) -> gradus_tensor::Result<()> {
    if left == right {
        return Ok(());
    }
    let (left, right) = (Box::new(left), Box::new(right));
    Err(gradus_tensor::Error::Mismatch { op: "backward", left, right, why })
}

thread_local! {
    static RECORDING: Cell<bool> = const { Cell::new(true) };
}

/// Runs `f` without recording: what it computes depends on no parameter. The one hidden flag, and it ends with `f`.
///
/// ```
/// use gradus_autograd::{Var, no_grad};
/// use gradus_tensor::Tensor;
/// let w = Var::parameter(Tensor::from([1.0]));
/// assert!(!no_grad(|| w.exp())?.is_tracked());
/// assert!(w.exp()?.is_tracked());
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn no_grad<R>(f: impl FnOnce() -> R) -> R {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            RECORDING.set(self.0);
        }
    }
    let _restore = Restore(RECORDING.replace(false));
    f()
}

static NEXT: AtomicU64 = AtomicU64::new(0);

impl<T: Scalar> Var<T> {
    fn node(value: Tensor<T>, tracked: bool, leaf: bool, step: Option<Box<dyn Step<T>>>) -> Self {
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        Self(Arc::new(Node { id, tracked, value: RwLock::new(value), step: Mutex::new(step), leaf }))
    }

    /// A variable whose gradient is wanted.
    pub fn parameter(value: Tensor<T>) -> Self {
        Self::node(value, true, true, None)
    }

    /// A variable whose gradient nobody wants: data.
    pub fn constant(value: Tensor<T>) -> Self {
        Self::node(value, false, true, None)
    }

    /// Applies an operation. Where no input is tracked, nothing is recorded and nothing saved.
    ///
    /// # Errors
    /// If the operation refuses the inputs.
    pub fn apply<O: Op<T, N>, const N: usize>(op: O, inputs: [&Self; N]) -> gradus_tensor::Result<Self> {
        let values = inputs.map(Var::value);
        if !Self::records(&inputs) {
            return Ok(Self::constant(op.eval(values.each_ref())?));
        }
        let (value, saved) = op.forward(values.each_ref())?;
        let parents = inputs.map(Var::tracked_clone);
        Ok(Self::node(
            value,
            true,
            false,
            Some(Box::new(Applied { op, inputs: values, saved: Held::Own(saved), parents })),
        ))
    }

    /// Applies an operation and hands back what it saved too: attention weights, gates, batch statistics.
    ///
    /// # Errors
    /// If the operation refuses the inputs.
    pub fn apply_saved<O: Op<T, N>, const N: usize>(
        op: O,
        inputs: [&Self; N],
    ) -> gradus_tensor::Result<(Self, Arc<O::Saved>)> {
        let values = inputs.map(Var::value);
        let (value, saved) = op.forward(values.each_ref())?;
        let saved = Arc::new(saved);
        if !Self::records(&inputs) {
            return Ok((Self::constant(value), saved));
        }
        let parents = inputs.map(Var::tracked_clone);
        let held = Held::Shared(Arc::clone(&saved));
        let step = Applied { op, inputs: values, saved: held, parents };
        Ok((Self::node(value, true, false, Some(Box::new(step))), saved))
    }

    /// Applies an operation on a number of inputs that is known at run time only.
    ///
    /// # Errors
    /// If the operation refuses the inputs.
    pub fn apply_many<O: OpMany<T>>(op: O, inputs: &[&Self]) -> gradus_tensor::Result<Self> {
        let values: Vec<Tensor<T>> = inputs.iter().map(|v| v.value()).collect();
        let views: Vec<&Tensor<T>> = values.iter().collect();
        if !Self::records(inputs) {
            return Ok(Self::constant(op.eval(&views)?));
        }
        let (value, saved) = op.forward(&views)?;
        let parents = inputs.iter().map(|v| v.tracked_clone()).collect();
        Ok(Self::node(value, true, false, Some(Box::new(AppliedMany { op, inputs: values, saved, parents }))))
    }

    fn records(inputs: &[&Self]) -> bool {
        RECORDING.get() && inputs.iter().any(|v| v.is_tracked())
    }

    fn tracked_clone(&self) -> Option<Self> {
        self.is_tracked().then(|| self.clone())
    }

    /// The value; shares the buffer.
    pub fn value(&self) -> Tensor<T> {
        self.0.value.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The value's shape.
    pub fn shape(&self) -> Shape {
        self.0.value.read().unwrap_or_else(PoisonError::into_inner).shape()
    }

    /// The only element of the value.
    ///
    /// # Errors
    /// If there is not exactly one.
    pub fn item(&self) -> gradus_tensor::Result<T> {
        self.value().item()
    }

    /// What tells this variable from all others of the process: two names for one variable have one number.
    pub fn id(&self) -> u64 {
        self.0.id
    }

    /// Whether a gradient flows here.
    pub fn is_tracked(&self) -> bool {
        self.0.tracked
    }

    /// The same value as a constant.
    pub fn detach(&self) -> Self {
        Self::constant(self.value())
    }

    /// Changes the value, as an optimiser does; everyone who shares this variable sees it. In place, if no
    /// graph and no clone of the value is alive; else on a copy. `f` must not ask this variable for its value: it has
    /// it, and would wait for itself.
    pub fn update<R>(&self, f: impl FnOnce(&mut Tensor<T>) -> R) -> R {
        f(&mut self.0.value.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// The gradients of this number with respect to every parameter that took part. Uses the graph up.
    ///
    /// # Errors
    /// If this is not one number, no parameter took part, or the graph was used up before.
    pub fn backward(&self) -> crate::Result<Gradients<T>> {
        let shape = self.shape();
        if shape.elements() != 1 {
            return Err(Error::NotScalar { shape });
        }
        self.backward_with(&Tensor::ones(shape)?)
    }

    /// The gradients of ⟨`cotangent`, this⟩ with respect to every parameter that took part. Uses the graph up; where
    /// it fails on the way, as far as it came.
    ///
    /// # Errors
    /// If the cotangent has another shape, no parameter took part, the graph was used up before, or an operation's
    /// `vjp` fails or gives a gradient of another shape than its input.
    pub fn backward_with(&self, cotangent: &Tensor<T>) -> crate::Result<Gradients<T>> {
        if !self.is_tracked() {
            return Err(Error::Untracked);
        }
        let mut gradients = Gradients { by_id: HashMap::new() };
        let mut inner = HashMap::new();
        let mut queue = BinaryHeap::new();
        // A cotangent of another shape is refused here, not deep in some operation.
        same_shape(cotangent.shape(), self.shape(), "a cotangent has the shape of the value")?;
        collect(self, cotangent.clone(), &mut gradients.by_id, &mut inner, &mut queue)?;
        while let Some(Latest(var)) = queue.pop() {
            let Some(dy) = inner.remove(&var.0.id) else { continue };
            let step = var.0.step.lock().unwrap_or_else(PoisonError::into_inner).take();
            let step = step.ok_or(Error::Consumed)?;
            let mut failed = Ok(());
            step.back(&dy, &mut |parent, gradient| {
                if failed.is_ok() {
                    failed = collect(parent, gradient, &mut gradients.by_id, &mut inner, &mut queue);
                }
            })?;
            failed?;
        }
        Ok(gradients)
    }
}

/// Adds a gradient to what a variable has got so far; the first one puts it into the queue.
fn collect<T: Scalar>(
    var: &Var<T>,
    gradient: Tensor<T>,
    leaves: &mut HashMap<u64, Tensor<T>>,
    inner: &mut HashMap<u64, Tensor<T>>,
    queue: &mut BinaryHeap<Latest<T>>,
) -> gradus_tensor::Result<()> {
    let (map, fresh) = if var.0.leaf { (leaves, false) } else { (inner, true) };
    match map.get_mut(&var.0.id) {
        Some(sum) => sum.add_scaled(T::ONE, &gradient),
        None => {
            map.insert(var.0.id, gradient);
            if fresh {
                queue.push(Latest(var.clone()));
            }
            Ok(())
        }
    }
}

/// Orders variables by their numbers: a heap gives the latest first.
struct Latest<T: Scalar>(Var<T>);

impl<T: Scalar> PartialEq for Latest<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0.0.id == other.0.0.id
    }
}

impl<T: Scalar> Eq for Latest<T> {}

impl<T: Scalar> PartialOrd for Latest<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<T: Scalar> Ord for Latest<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.0.id.cmp(&other.0.0.id)
    }
}

/// A chain of a hundred thousand nodes must not be dropped by a hundred thousand nested calls: the parents are
/// taken out and dropped in a loop.
impl<T: Scalar> Drop for Node<T> {
    fn drop(&mut self) {
        let take = |node: &mut Self| node.step.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        let mut orphans = Vec::new();
        if let Some(step) = take(self) {
            step.release(&mut orphans);
        }
        while let Some(var) = orphans.pop() {
            if let Some(mut node) = Arc::into_inner(var.0)
                && let Some(step) = take(&mut node)
            {
                step.release(&mut orphans);
            }
        }
    }
}

impl<T: Scalar> Clone for Var<T> {
    /// The same variable, shared.
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: Scalar> std::fmt::Debug for Var<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = match (self.0.tracked, self.0.leaf) {
            (true, true) => "parameter",
            (true, false) => "computed",
            (false, _) => "constant",
        };
        write!(f, "Var ({kind}) {:?}", self.value())
    }
}

/// The gradients of one backward pass, by parameter.
#[derive(Debug)]
pub struct Gradients<T: Scalar = f32> {
    by_id: HashMap<u64, Tensor<T>>,
}

impl<T: Scalar> Gradients<T> {
    /// The gradient with respect to a parameter: `None` if it took no part.
    pub fn get(&self, parameter: &Var<T>) -> Option<&Tensor<T>> {
        self.by_id.get(&parameter.0.id)
    }

    /// The gradient with respect to a parameter, to be changed in place: clipped, say.
    ///
    /// ```
    /// use gradus_autograd::Var;
    /// use gradus_tensor::Tensor;
    /// let w = Var::parameter(Tensor::from([3.0f64]));
    /// let mut gradients = w.mul(&w)?.sum()?.backward()?; // 2w
    /// gradients.get_mut(&w).ok_or("no gradient")?.map_in_place(|g| g.min(1.0));
    /// assert_eq!(gradients.get(&w), Some(&Tensor::from([1.0])));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn get_mut(&mut self, parameter: &Var<T>) -> Option<&mut Tensor<T>> {
        self.by_id.get_mut(&parameter.0.id)
    }

    /// Takes the gradient out, so that it can be changed in place.
    pub fn take(&mut self, parameter: &Var<T>) -> Option<Tensor<T>> {
        self.by_id.remove(&parameter.0.id)
    }

    /// How many parameters took part.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether none took part.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }
}
