//! Networks in ONNX files: whether each file is sound, and what onnxruntime makes of it. Where Python has no onnxruntime, the latter is skipped; GRADUS_PYTHON names another Python.
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests are tests too

#[path = "onnx/odd.rs"]
mod odd;
#[allow(dead_code, unreachable_pub)]
#[path = "../src/onnx/proto.rs"]
mod proto;
mod small;

use gradus_architectures::{
    Action, AlexNet, AlexNetShape, Architecture, Graph, Inference, LeNet, LeNet1998, LeNet1998Shape,
    LeNetShape, OnnxError, Plain, ResNet, ResNetShape, Squashing, Start, Step, UNet, UNetShape, Vgg,
    VggColumn, VggShape, catalog, load_torch_state, onnx_model, save_onnx, torch_state,
};
use gradus_autograd::{Layer, Mode, Parameters, Var};
use gradus_tensor::{Scalar, Tensor};
use odd::{Odd, Secret};
use prost::Message;
use proto::{Element, Model, Size, ValueInfo};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

/// A file is read again, and everything in it held against the graph that it was made of.
fn check<T: Scalar>(name: &str, graph: &Graph<'_, T>, state: &BTreeMap<String, Tensor<T>>) -> Model {
    let model = Model::decode(&onnx_model(graph, name).unwrap()[..]).unwrap();
    let written = model.graph.clone().unwrap();
    assert_eq!(written.name.as_deref(), Some(name));
    // What stands before a node has been made before it, and once.
    let mut made: BTreeSet<&str> = BTreeSet::from(["image"]);
    let mut constants = BTreeMap::new();
    for constant in &written.initializer {
        let name = constant.name.as_deref().unwrap();
        assert!(made.insert(name), "{name} twice");
        assert!(constants.insert(name, constant).is_none());
        let bytes = match constant.data_type() {
            Element::Float => 4,
            Element::Int64 => 8,
            Element::Undefined => panic!("{name} has no type"),
        };
        let count: i64 = constant.dims.iter().product();
        assert_eq!(constant.raw_data.as_ref().unwrap().len() as i64, bytes * count, "{name}");
    }
    let (mut read, mut names) = (BTreeSet::new(), BTreeSet::new());
    for node in &written.node {
        assert!(names.insert(node.name.as_deref().unwrap()), "{name}: {:?} twice", node.name);
        for input in node.input.iter().filter(|input| !input.is_empty()) {
            assert!(made.contains(input.as_str()), "{name}: {input} is read before it is made");
            read.insert(input.as_str());
        }
        let [output] = node.output.as_slice() else { panic!("{:?} makes several values", node.name) };
        assert!(made.insert(output), "{name}: {output} is made twice");
    }
    // Everything is read but the scores.
    made.retain(|value| !read.contains(value));
    assert_eq!(made, BTreeSet::from(["scores"]), "{name}");
    // Names and numbers of the weights are those of PyTorch, but for layers that PyTorch does not have.
    let own = |value: &str| {
        graph
            .nodes()
            .iter()
            .any(|n| matches!(n.action, Action::Step(Step::Own(..))) && value == format!("{}.weight", n.name))
    };
    for (value, tensor) in state {
        let constant = constants.get(value.as_str()).unwrap_or_else(|| panic!("{name}: no {value}"));
        if !own(value) {
            let words = constant.raw_data.as_ref().unwrap().as_chunks::<4>().0;
            let same =
                words.iter().zip(tensor.as_slice()).all(|(w, x)| *w == (x.as_f64() as f32).to_le_bytes());
            assert!(same, "{name}: {value}");
            assert!(constant.dims.iter().map(|&d| d as usize).eq(tensor.dims().iter().copied()), "{value}");
        }
    }
    // Shapes are those of the graph, for any batch.
    let (nodes, result) = (graph.nodes(), &graph.nodes()[graph.result()]);
    assert_eq!(dims(&written.input[0]), ("image", nodes[0].shape.clone()));
    assert_eq!(dims(&written.output[0]), ("scores", result.shape.clone()));
    assert_eq!((written.input.len(), written.output.len()), (1, 1));
    let mut known = 0;
    for info in &written.value_info {
        let (value, shape) = dims(info);
        assert!(read.contains(value), "{name}: {value} has a shape, and nobody reads it");
        known += nodes.iter().filter(|node| node.name == value && node.shape == shape).count();
    }
    // Names that had to be changed are few.
    assert!(known + 2 >= written.value_info.len(), "{name}: {known} of {}", written.value_info.len());
    model
}

/// A value's name and shape behind the batch.
fn dims(info: &ValueInfo) -> (&str, Vec<usize>) {
    let tensor = info.kind.as_ref().unwrap().tensor.as_ref().unwrap();
    assert_eq!(tensor.element(), Element::Float);
    let sizes: Vec<&Size> =
        tensor.shape.as_ref().unwrap().dim.iter().map(|d| d.size.as_ref().unwrap()).collect();
    assert_eq!(*sizes[0], Size::Symbol("batch".into()));
    let fixed = sizes[1..].iter().map(|size| match size {
        Size::Value(n) => usize::try_from(*n).unwrap(),
        Size::Symbol(name) => panic!("{name}"),
    });
    (info.name.as_deref().unwrap(), fixed.collect())
}

/// What an operation is told, as text.
fn told(model: &Model, node: &str, attribute: &str) -> String {
    let graph = model.graph.as_ref().unwrap();
    let node = graph.node.iter().find(|n| n.name.as_deref() == Some(node)).unwrap();
    let found = node.attribute.iter().find(|a| a.name.as_deref() == Some(attribute)).unwrap();
    match (found.i, found.f, &found.s) {
        (Some(i), ..) => i.to_string(),
        (_, Some(f), _) => f.to_string(),
        (.., Some(s)) => String::from_utf8(s.clone()).unwrap(),
        _ => format!("{:?}", found.ints),
    }
}

/// The small copies, and what golden/logits.py has no part in.
fn networks() -> Vec<(&'static str, Box<dyn Architecture<f64>>, [usize; 3])> {
    let mut all = small::networks();
    let (blank, rng) = (&mut Start::Blank, &mut ChaCha8Rng::seed_from_u64(1));
    for (name, squashing) in
        [("lenet", Squashing::Tanh), ("lenet_sigmoid", Squashing::Sigmoid), ("lenet_relu", Squashing::Relu)]
    {
        let net = LeNet::new(LeNetShape::mnist(), squashing, rng).unwrap();
        all.push((name, Box::new(net), [1, 28, 28]));
    }
    let lenet = LeNet1998::new(LeNet1998Shape::published(), rng).unwrap();
    all.push(("lenet1998", Box::new(lenet), [1, 32, 32]));
    // The sizes of the photographs, with few maps; 224 for the network of 2012 leaves pixels over.
    let few = |shape: AlexNetShape| AlexNetShape {
        maps: [8, 16, 12, 12, 8],
        units: [24, 16],
        classes: 10,
        image: [224, 224],
        ..shape
    };
    for (name, shape) in [
        ("alexnet2012_224", AlexNetShape { padding: 2, ..few(AlexNetShape::published()) }),
        ("alexnet2012_one_tower_224", few(AlexNetShape::one_tower())),
        ("alexnet_224", few(AlexNetShape::torchvision())),
    ] {
        all.push((name, Box::new(AlexNet::new(&shape, blank).unwrap()), [3, 224, 224]));
    }
    // Maps of 3 × 4 in 2 × 2 bins, and 6 × 5 in 4 × 4.
    let vgg = |grid| VggShape { width: 1, grid, units: 8, classes: 10, ..VggShape::of(VggColumn::A) };
    all.push(("vgg11_uneven", Box::new(Vgg::new(&vgg(2), blank).unwrap()), [3, 96, 128]));
    all.push(("vgg11_overlapping", Box::new(Vgg::new(&vgg(4), blank).unwrap()), [3, 192, 160]));
    let resnet = ResNetShape { width: 4, classes: 10, projection: false, ..ResNetShape::resnet34() };
    all.push(("resnet34a", Box::new(ResNet::new(&resnet, blank).unwrap()), [3, 64, 64]));
    // Skips that are odd numbers of pixels larger.
    let valid = UNetShape { width: 2, levels: 1, ..UNetShape::published() };
    all.push(("unet2015_odd", Box::new(UNet::new(&valid, blank).unwrap()), [1, 22, 20]));
    all
}

/// Gives a network the numbers of small::state.
fn fill<T: Scalar>(net: &(impl Parameters<T> + ?Sized)) {
    let shapes: Vec<_> = torch_state(net).into_iter().map(|(name, t)| (name, t.dims().to_vec())).collect();
    load_torch_state(net, &small::state(&shapes)).unwrap();
}

#[test]
fn every_small_network_is_written_soundly() {
    for (name, net, image) in networks() {
        fill(&*net);
        check(name, &net.graph(image).unwrap(), &torch_state(&*net));
    }
}

#[test]
fn the_smaller_networks_of_the_catalog_are_written_soundly() {
    for entry in catalog() {
        let net = entry.build(&mut Start::Blank).unwrap();
        // Of the larger ones there are small copies above; and the test that is ignored looks at them all.
        if net.parameter_count() < 12_000_000 {
            check(entry.name, &net.graph(net.image()).unwrap(), &torch_state(&*net));
        }
    }
}

#[test]
fn operations_are_told_what_the_layers_are() {
    let shape = AlexNetShape::tiny();
    let net = AlexNet::<f32>::new(&shape, &mut Start::Blank).unwrap();
    let model = check("alexnet", &net.graph([3, 67, 67]).unwrap(), &torch_state(&net));
    // The mean of five squares instead of their sum: five times the paper's 10⁻⁴.
    assert_eq!(told(&model, "features.2", "alpha"), "0.0005");
    assert_eq!(told(&model, "features.2", "bias"), "2");
    assert_eq!(told(&model, "features.4", "group"), "2");
    assert_eq!(told(&model, "features.4", "pads"), "[2, 2, 2, 2]");
    assert_eq!(told(&model, "features.0", "strides"), "[4, 4]");
    let graph = model.graph.unwrap();
    assert!(graph.node.iter().all(|node| node.op_type.as_deref() != Some("Dropout")));
    assert_eq!(model.opset_import.len(), 1);
    let odd = Odd::<f32>::new();
    let model = check("odd", &Graph::of(&odd, Odd::<f32>::IMAGE).unwrap(), &torch_state(&odd));
    // Above, left, below, right.
    assert_eq!(told(&model, "uneven", "pads"), "[2, 0, 1, 3]");
    assert_eq!(told(&model, "transposed", "output_padding"), "[1, 0]");
    // On the right one of padding, and one by which the last window sticks out.
    assert_eq!(told(&model, "ceil", "pads"), "[1, 0, 1, 2]");
    assert_eq!(told(&model, "whole", "count_include_pad"), "1");
    assert_eq!(told(&model, "uncounted", "count_include_pad"), "0");
    assert_eq!(told(&model, "thrice", "coordinate_transformation_mode"), "asymmetric");
    assert_eq!(told(&model, "between", "coordinate_transformation_mode"), "half_pixel");
    assert_eq!(told(&model, "corners", "coordinate_transformation_mode"), "align_corners");
}

#[test]
fn what_is_its_own_is_also_said_plainly() {
    let net = LeNet1998::<f64>::new(LeNet1998Shape::published(), &mut ChaCha8Rng::seed_from_u64(3)).unwrap();
    fill(&net);
    let graph = net.graph([1, 32, 32]).unwrap();
    let mut kinds = BTreeSet::new();
    for node in graph.nodes() {
        let Action::Step(Step::Own(kind, layer)) = &node.action else { continue };
        let shape = [&[2], graph.nodes()[node.inputs[0]].shape.as_slice()].concat();
        let x = Var::constant(small::made(&shape, 0.3, |v| 2.0 * v));
        let y = layer.forward(&x, &mut Mode::Eval).unwrap().value();
        let plainly = match layer.plain().unwrap().unwrap() {
            Plain::Conv(layer) => layer.forward(&x, &mut Mode::Eval).unwrap().value(),
            Plain::Tanh { height, slope } => x.value().map(|x| height * (slope * x).tanh()),
            Plain::Distances(codes) => {
                let (x, d) = (x.value(), codes.dims()[1]);
                let apart =
                    |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum() };
                let rows = |t: &Tensor<f64>| t.as_slice().chunks(d).map(<[f64]>::to_vec).collect::<Vec<_>>();
                let of = |x: &Vec<f64>| rows(&codes).iter().map(|c| -apart(x, c)).collect::<Vec<_>>();
                Tensor::from_vec(rows(&x).iter().flat_map(of).collect(), y.dims()).unwrap()
            }
        };
        assert!(y.max_difference(&plainly).unwrap() < 1e-11, "{}", node.name);
        kinds.insert(*kind);
    }
    assert_eq!(kinds.len(), 4);
}

#[test]
fn what_can_not_be_written_is_named_all_of_it() {
    let net = Secret { first: odd::Unsaid, second: odd::Unsaid };
    let graph = Graph::<f64>::of(&net, [1, 2, 2]).unwrap();
    let error = onnx_model(&graph, "secret").unwrap_err();
    let steps = vec![("first".into(), "Unsaid"), ("part.second".into(), "Unsaid")];
    assert_eq!(error, OnnxError::Unsupported { network: "secret".into(), steps });
    assert!(error.to_string().contains("first (Unsaid), part.second (Unsaid)"), "{error}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret.onnx");
    save_onnx(&graph, "secret", &file).unwrap_err();
    assert!(!file.exists());
    let net = LeNet::<f32>::new(LeNetShape::default(), Squashing::Tanh, &mut ChaCha8Rng::seed_from_u64(1));
    let net = net.unwrap();
    let graph = net.graph([1, 32, 32]).unwrap();
    save_onnx(&graph, "lenet", &file).unwrap();
    assert_eq!(std::fs::read(&file).unwrap(), onnx_model(&graph, "lenet").unwrap());
    assert!(matches!(save_onnx(&graph, "lenet", folder.path().join("no/where")), Err(OnnxError::Other(_))));
}

#[test]
fn names_stay_apart_and_shared_weights_are_written_once() {
    let net = odd::Twice::<f32>::new();
    let graph = Graph::of(&net, [2, 3, 3]).unwrap();
    let model = check("twice", &graph, &torch_state(&net));
    let written = model.graph.unwrap();
    let convs = written.node.iter().filter(|node| node.op_type.as_deref() == Some("Conv"));
    let weights: Vec<_> = convs.map(|node| node.input[1].as_str()).collect();
    assert_eq!(weights, ["conv.weight", "conv.weight"]);
    // Nobody reads the ReLU, and of the dropout nothing is left.
    assert!(written.node.iter().all(|node| node.op_type.as_deref() == Some("Conv")));
    let graph = Graph::of(&odd::Nothing, [2, 3, 3]).unwrap();
    let model = check::<f32>("nothing", &graph, &BTreeMap::new());
    assert_eq!(model.graph.unwrap().node[0].op_type.as_deref(), Some("Identity"));
}

/// A Python with onnxruntime, or none. One that was asked for has to be one.
fn python() -> Option<String> {
    let asked = std::env::var("GRADUS_PYTHON").ok();
    let python = asked.clone().unwrap_or_else(|| "python3".into());
    let found = Command::new(&python).args(["-c", "import onnx, onnxruntime"]).output();
    if found.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    assert!(asked.is_none(), "GRADUS_PYTHON, {python}, has no onnx and onnxruntime");
    eprintln!("SKIPPED: python3 has no onnx and onnxruntime; GRADUS_PYTHON names another Python");
    None
}

fn bytes<T: Scalar>(tensor: &Tensor<T>) -> Vec<u8> {
    tensor.as_slice().iter().flat_map(|x| (x.as_f64() as f32).to_le_bytes()).collect()
}

/// Writes a network, and what it makes of one image and of two.
fn write<T: Scalar>(folder: &Path, name: &str, graph: &Graph<'_, T>) {
    save_onnx(graph, name, folder.join(format!("{name}.onnx"))).unwrap();
    let image = &graph.nodes()[0].shape;
    for batch in [1, 2] {
        let x: Tensor<T> = small::made(&[&[batch], image.as_slice()].concat(), 0.5, |v| v);
        let y = Inference::of(graph).unwrap().run(&x).unwrap();
        std::fs::write(folder.join(format!("{name}.{batch}.in")), bytes(&x)).unwrap();
        std::fs::write(folder.join(format!("{name}.{batch}.out")), bytes(&y)).unwrap();
    }
}

/// How far onnxruntime's scores are from ours.
fn run(python: &str, folder: &Path) -> Vec<(String, f64)> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/onnx/run.py");
    let output = Command::new(python).arg(script).arg(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let of = |line: &str| {
        let (case, off) = line.rsplit_once(' ').unwrap();
        (case.to_owned(), off.parse().unwrap())
    };
    String::from_utf8(output.stdout).unwrap().lines().map(of).collect()
}

fn agree(results: &[(String, f64)], cases: usize) {
    assert_eq!(results.len(), 2 * cases);
    for (case, off) in results {
        eprintln!("{case}: {off:.1e}");
    }
    // Single precision against double, through up to a hundred layers.
    let far: Vec<_> = results.iter().filter(|(_, off)| !(*off < 1e-4)).collect();
    assert!(far.is_empty(), "{far:?}");
}

#[test]
fn onnxruntime_gives_our_scores() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let nets = networks();
    for (name, net, image) in &nets {
        fill(&**net);
        write(folder.path(), name, &net.graph(*image).unwrap());
    }
    let odd = Odd::<f64>::new();
    write(folder.path(), "odd", &Graph::of(&odd, Odd::<f64>::IMAGE).unwrap());
    agree(&run(&python, folder.path()), nets.len() + 1);
}

/// Some minutes and gigabytes: `cargo test --release -p gradus-architectures --test onnx -- --ignored --nocapture`
#[test]
#[ignore = "minutes"]
fn onnxruntime_gives_our_scores_at_the_published_sizes() {
    let Some(python) = python() else { return };
    for entry in catalog() {
        let folder = tempfile::tempdir().unwrap();
        let net = entry.build(&mut Start::Blank).unwrap();
        fill(&*net);
        check(entry.name, &net.graph(net.image()).unwrap(), &torch_state(&*net));
        let image = match entry.name {
            "unet2015" => [1, 188, 204],
            "unet" | "unet_bilinear" => [3, 64, 80],
            _ => net.image(),
        };
        write(folder.path(), entry.name, &net.graph(image).unwrap());
        agree(&run(&python, folder.path()), 1);
    }
}
