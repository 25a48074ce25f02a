//! What a network is made of: a table of its layers, with what each learns and costs, or a drawing.
#![allow(clippy::print_stdout)] // its output is what it is for

#[path = "shared/exit.rs"]
mod exit;
#[path = "shared/size.rs"]
mod size;

use clap::Parser;
use exit::exit;
use gradus_architectures::{Start, Summary, catalog, entry};
use size::size;
use std::path::PathBuf;
use std::process::ExitCode;

type Error = Box<dyn std::error::Error>;

/// Prints the layers of a network: output shapes, parameters, products, memory, receptive fields. Nothing is computed, and no weights are needed.
#[derive(Parser)]
struct Options {
    /// The networks; without one, a list of all of them with their totals.
    networks: Vec<String>,
    /// All networks there are.
    #[arg(long, conflicts_with = "networks")]
    all: bool,
    /// As JSON: a list with an object for each network.
    #[arg(long)]
    json: bool,
    /// Another size of image, as HEIGHTxWIDTH.
    #[arg(long, value_parser = size)]
    image: Option<[usize; 2]>,
    /// Draws the network into this file, as SVG.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

fn main() -> ExitCode {
    exit(run(Options::parse()))
}

fn run(options: Options) -> Result<(), Error> {
    let listed = options.networks.is_empty();
    let entries = if listed {
        catalog().iter().collect()
    } else {
        options.networks.iter().map(|name| entry(name)).collect::<Result<Vec<_>, _>>()?
    };
    if options.svg.is_some() && entries.len() != 1 {
        return Err("--svg draws one network; name it".into());
    }
    let mut summaries = Vec::new();
    for entry in entries {
        let network = entry.build(&mut Start::Blank)?;
        let mut image = network.image();
        if let Some([height, width]) = options.image {
            image = [image[0], height, width];
        }
        let graph = network.graph(image)?;
        if let Some(file) = &options.svg {
            std::fs::write(file, graph.diagram()).map_err(|e| format!("{}: {e}", file.display()))?;
            eprintln!("drawn into {}", file.display());
        }
        let summary = Summary::of(entry.name, &graph);
        if options.json {
            summaries.push(summary);
        } else if listed && !options.all {
            println!(
                "{:<22} {:>13} parameters  {:>16} products  {}",
                entry.name, summary.parameters, summary.multiplications, entry.about
            );
        } else {
            println!("{summary}\n");
        }
    }
    if options.json {
        println!("{}", serde_json::to_string_pretty(&summaries)?);
    }
    Ok(())
}
