//! A network for other programs: its steps and its weights in one ONNX file.
#![allow(clippy::print_stdout)] // its output is what it is for

#[path = "shared/exit.rs"]
mod exit;
#[path = "shared/size.rs"]
mod size;

use clap::Parser;
use exit::exit;
use gradus_architectures::{Action, Start, entry, load_weights, save_onnx};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use size::size;
use std::path::PathBuf;
use std::process::ExitCode;

type Error = Box<dyn std::error::Error>;

/// Writes a network as an ONNX file, which onnxruntime, OpenCV, TensorRT, a browser and others run. The batch is left open.
#[derive(Parser)]
#[command(
    after_help = "Networks are called as in the list of the example `summary`. Weights of torchvision as a file:

  import torchvision, safetensors.torch
  net = torchvision.models.resnet18(weights=\"DEFAULT\")
  safetensors.torch.save_file(net.state_dict(), \"resnet18.safetensors\")"
)]
struct Options {
    /// The network, as resnet18.
    network: String,
    /// Its weights: a safetensors file with the names of torchvision, or of timm for xception. Without one they are random.
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,
    /// The file to be written; NETWORK.onnx if none is named.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Another size of image than the customary one, as HEIGHTxWIDTH.
    #[arg(long, value_parser = size)]
    image: Option<[usize; 2]>,
    /// Of the random weights.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> ExitCode {
    exit(run(Options::parse()))
}

fn run(options: Options) -> Result<(), Error> {
    let entry = entry(&options.network)?;
    let network = if let Some(weights) = &options.weights {
        let network = entry.build(&mut Start::Blank)?;
        load_weights(&*network, weights)?;
        network
    } else {
        eprintln!("the weights are random, seed {}: --weights names a file with others", options.seed);
        entry.build(&mut Start::Random(&mut ChaCha8Rng::seed_from_u64(options.seed)))?
    };
    let [channels, height, width] = network.image();
    let [height, width] = options.image.unwrap_or([height, width]);
    let graph = network.graph([channels, height, width])?;
    let file = options.out.unwrap_or_else(|| format!("{}.onnx", entry.name).into());
    save_onnx(&graph, entry.name, &file)?;

    let steps = graph.nodes().iter().filter(|node| !matches!(node.action, Action::Input)).count();
    let bytes = std::fs::metadata(&file)?.len();
    println!("{}: {}, {steps} steps, {:.1} MB", file.display(), entry.about, bytes as f64 / 1e6);
    println!("image   [batch, {channels}, {height}, {width}]");
    let scores: Vec<_> = graph.nodes()[graph.result()].shape.iter().map(usize::to_string).collect();
    println!("scores  [batch, {}]", scores.join(", "));
    println!("\nin Python:\n  import onnxruntime");
    println!("  session = onnxruntime.InferenceSession({:?})", file.display().to_string());
    println!("  [scores] = session.run(None, {{\"image\": x}})  # x: float32");
    Ok(())
}
