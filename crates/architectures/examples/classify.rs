//! What is on a photograph? The five classes that a trained network holds to be the likeliest.
#![allow(clippy::print_stdout)] // its output is what it is for

#[path = "shared/exit.rs"]
mod exit;

use clap::Parser;
use exit::exit;
use gradus_architectures::{
    Architecture, Inference, Photo, Preprocessing, ResNet, ResNetShape, Start, entry, labels, load_weights,
    top,
};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use std::path::PathBuf;
use std::process::ExitCode;

type Error = Box<dyn std::error::Error>;

/// Says what is on photographs: JPEG or PNG, of any size. Without any arguments it runs by itself: a small network with random weights looks at a drawing.
#[derive(Parser)]
#[command(after_help = "Weights and labels of torchvision as files, in Python:

  import torchvision, safetensors.torch
  weights = torchvision.models.ResNet18_Weights.IMAGENET1K_V1
  safetensors.torch.save_file(torchvision.models.resnet18(weights=weights).state_dict(), \"resnet18.safetensors\")
  open(\"labels.txt\", \"w\").write(\"\\n\".join(weights.meta[\"categories\"]))

then

  classify --weights resnet18.safetensors --labels labels.txt cat.jpg")]
struct Options {
    /// The photographs.
    images: Vec<PathBuf>,
    /// The network, as the example `summary` lists them.
    #[arg(long, default_value = "resnet18")]
    network: String,
    /// Its weights: a safetensors file with the names of torchvision, or of timm for xception.
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,
    /// The names of the classes, one a line; without them classes are numbers.
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// How many classes are named.
    #[arg(long, default_value_t = 5)]
    top: usize,
    /// What a photograph's shorter side is brought to before the middle is cut out, if it is not as usual.
    #[arg(long)]
    resize: Option<usize>,
}

fn main() -> ExitCode {
    exit(run(&Options::parse()))
}

fn run(options: &Options) -> Result<(), Error> {
    match (&options.weights, options.images.is_empty()) {
        (Some(weights), false) => photographs(options, weights),
        (Some(_), true) => Err("name a photograph, or several".into()),
        (None, false) => Err(missing(entry(&options.network)?.name).into()),
        (None, true) => alone(options.top),
    }
}

/// What torchvision has weights of, under the names of the catalog.
const TORCHVISION: [&str; 14] = [
    "alexnet",
    "vgg11",
    "vgg13",
    "vgg16",
    "vgg19",
    "vgg11_bn",
    "vgg13_bn",
    "vgg16_bn",
    "vgg19_bn",
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
];

/// Which file there should be, and where it comes from.
fn missing(network: &str) -> String {
    let (module, make) = match network {
        "xception" => ("timm", "timm.create_model(\"legacy_xception\", pretrained=True)".to_owned()),
        name if TORCHVISION.contains(&name) => {
            ("torchvision", format!("torchvision.models.{name}(weights=\"IMAGENET1K_V1\")"))
        }
        name => {
            return format!(
                "without weights {name} knows nothing, and no library has it trained: train it, and `save_weights`"
            );
        }
    };
    format!(
        "without weights {network} knows nothing. --weights names a safetensors file with its state, as {module} calls and lays it:\n\n\
         \x20 import {module}, safetensors.torch\n\
         \x20 net = {make}\n\
         \x20 safetensors.torch.save_file(net.state_dict(), \"{network}.safetensors\")"
    )
}

fn photographs(options: &Options, weights: &PathBuf) -> Result<(), Error> {
    let entry = entry(&options.network)?;
    let network = entry.build(&mut Start::Blank)?;
    let [channels, height, width] = network.image();
    let graph = network.graph([channels, height, width])?;
    let &[classes] = graph.nodes()[graph.result()].shape.as_slice() else {
        return Err(format!("{} says something of each pixel, and nothing of the whole", entry.name).into());
    };
    if channels != 3 || height != width {
        return Err(format!("{} does not take photographs in colours", entry.name).into());
    }
    load_weights(&*network, weights)?;
    let names = match &options.labels {
        Some(file) => labels(file, classes)?,
        None => numbers(classes),
    };
    let usual = match entry.name {
        "xception" => Preprocessing::xception(),
        _ => Preprocessing::imagenet().side(height),
    };
    let preprocessing = Preprocessing { resize: options.resize.unwrap_or(usual.resize), ..usual };
    let inference = Inference::of(&graph)?;
    for file in &options.images {
        let scores = inference.run(&preprocessing.apply(&Photo::open(file)?)?)?;
        println!("{}", file.display());
        print(&top(&scores, options.top)?, &names);
    }
    Ok(())
}

/// A network that has learned nothing looks at a drawing.
fn alone(count: usize) -> Result<(), Error> {
    println!(
        "No weights and no photograph: a small network whose weights are random looks at a drawing. What it says means nothing. See --help.\n"
    );
    let shape = ResNetShape { width: 8, ..ResNetShape::cifar(1)? };
    let network = ResNet::<f32>::new(&shape, &mut Start::Random(&mut ChaCha8Rng::seed_from_u64(1)))?;
    let graph = network.graph(network.image())?;
    // A sun above the sea.
    let colour = |y: usize, x: usize| match (y.abs_diff(20).pow(2) + x.abs_diff(44).pow(2), y) {
        (..80, _) => [255, 220, 60],
        (_, ..34) => [120, 170, 230],
        _ => [20, 60, 140],
    };
    let places = (0..48).flat_map(|y| (0..64).map(move |x| (y, x)));
    let drawing = Photo::from_bytes([48, 64], places.flat_map(|(y, x)| colour(y, x)).collect())?;
    let x = Preprocessing::imagenet().side(32).apply(&drawing)?;
    let scores = Inference::of(&graph)?.run(&x)?;
    print(&top(&scores, count)?, &numbers(shape.classes));
    Ok(())
}

fn numbers(classes: usize) -> Vec<String> {
    (0..classes).map(|class| format!("class {class}")).collect()
}

/// The classes, with their probabilities as numbers and as bars.
fn print(best: &[(usize, f32)], names: &[String]) {
    let width = best.iter().map(|(class, _)| names[*class].chars().count()).max().unwrap_or(0);
    for (class, p) in best {
        // A NaN has no bar.
        let bar = "█".repeat((30.0 * p).round() as usize);
        println!("  {:<width$}  {:5.1} %  {bar}", names[*class], 100.0 * p);
    }
}
