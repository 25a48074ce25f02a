//! All networks of this crate, by name.

use crate::{
    AlexNet, AlexNetShape, Graph, LeNet, LeNet1998, LeNet1998Shape, LeNetShape, ResNet, ResNetShape,
    Squashing, Start, UNet, UNetShape, Vgg, VggColumn, VggShape, Xception, XceptionShape, refused,
};
use gradus_autograd::Layer;
use gradus_tensor::{Result, Scalar};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

/// A network for images of a customary size.
pub trait Architecture<T: Scalar>: Layer<T> + Send + Sync {
    /// The shape of its customary image, `[C, H, W]`.
    fn image(&self) -> [usize; 3];

    /// What it does with an image of this shape.
    ///
    /// # Errors
    /// If it does not take such an image.
    fn graph(&self, image: [usize; 3]) -> Result<Graph<'_, T>>;
}

macro_rules! architecture {
    ($($network:ident),+) => {$(
        impl<T: Scalar> Architecture<T> for $network<T> {
            fn image(&self) -> [usize; 3] {
                let shape = self.shape();
                [shape.channels, shape.image[0], shape.image[1]]
            }

            fn graph(&self, image: [usize; 3]) -> Result<Graph<'_, T>> {
                Graph::of(self, image)
            }
        }
    )+};
}

architecture!(LeNet, LeNet1998, AlexNet, Vgg, ResNet, Xception, UNet);

/// A network of the catalog.
pub struct Entry {
    /// What it is called: lower case, as in torchvision where it is there.
    pub name: &'static str,
    /// What it is, in a few words.
    pub about: &'static str,
    build: fn(&mut Start<'_>) -> Result<Box<dyn Architecture<f32>>>,
}

impl Entry {
    /// The network, as it was published.
    ///
    /// # Errors
    /// None in practice.
    pub fn build(&self, start: &mut Start<'_>) -> Result<Box<dyn Architecture<f32>>> {
        (self.build)(start)
    }
}

fn boxed(network: Result<impl Architecture<f32> + 'static>) -> Result<Box<dyn Architecture<f32>>> {
    Ok(Box::new(network?))
}

/// For the networks that are so small that they always begin at random.
fn random<R>(start: &mut Start<'_>, make: impl FnOnce(&mut dyn rand::Rng) -> R) -> R {
    match start {
        Start::Random(rng) => make(&mut **rng),
        Start::Blank => make(&mut ChaCha8Rng::seed_from_u64(0)),
    }
}

fn vgg(column: VggColumn, normalised: bool, start: &mut Start<'_>) -> Result<Box<dyn Architecture<f32>>> {
    boxed(Vgg::new(&VggShape { normalised, ..VggShape::of(column) }, start))
}

fn resnet(shape: ResNetShape, start: &mut Start<'_>) -> Result<Box<dyn Architecture<f32>>> {
    boxed(ResNet::new(&shape, start))
}

/// With the stride of the bottlenecks where the paper has it.
fn stride_first(shape: ResNetShape) -> ResNetShape {
    ResNetShape { stride_first: true, ..shape }
}

/// All networks, in the order of the book.
///
/// ```
/// use gradus_architectures::{Start, catalog};
/// let entry = catalog().iter().find(|entry| entry.name == "vgg16").unwrap();
/// let net = entry.build(&mut Start::Blank)?;
/// assert_eq!((net.image(), net.parameter_count()), ([3, 224, 224], 138_357_544));
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[must_use]
pub fn catalog() -> &'static [Entry] {
    macro_rules! entries {
        ($($name:literal, $about:literal, $build:expr;)+) => {
            &[$(Entry { name: $name, about: $about, build: $build }),+]
        };
    }
    entries! {
        "lenet1998", "LeNet-5 as published", |s| boxed(random(s, |rng| LeNet1998::new(LeNet1998Shape::published(), rng)));
        "lenet", "LeNet-5 as it is built today", |s| boxed(random(s, |rng| LeNet::new(LeNetShape::default(), Squashing::Tanh, rng)));
        "alexnet2012", "AlexNet as published, two towers", |s| boxed(AlexNet::new(&AlexNetShape::published(), s));
        "alexnet2012_one_tower", "the same with the towers grown together", |s| boxed(AlexNet::new(&AlexNetShape::one_tower(), s));
        "alexnet", "torchvision's AlexNet", |s| boxed(AlexNet::new(&AlexNetShape::torchvision(), s));
        "vgg11", "VGG, column A", |s| vgg(VggColumn::A, false, s);
        "vgg13", "VGG, column B", |s| vgg(VggColumn::B, false, s);
        "vgg16c", "VGG, column C, with windows of 1 × 1", |s| vgg(VggColumn::C, false, s);
        "vgg16", "VGG, column D", |s| vgg(VggColumn::D, false, s);
        "vgg19", "VGG, column E", |s| vgg(VggColumn::E, false, s);
        "vgg11_bn", "column A with batch normalisation", |s| vgg(VggColumn::A, true, s);
        "vgg13_bn", "column B with batch normalisation", |s| vgg(VggColumn::B, true, s);
        "vgg16_bn", "column D with batch normalisation", |s| vgg(VggColumn::D, true, s);
        "vgg19_bn", "column E with batch normalisation", |s| vgg(VggColumn::E, true, s);
        "resnet18", "ResNet, 18 layers", |s| resnet(ResNetShape::resnet18(), s);
        "resnet34", "ResNet, 34 layers", |s| resnet(ResNetShape::resnet34(), s);
        "resnet34a", "the same with shortcuts without parameters", |s| resnet(ResNetShape { projection: false, ..ResNetShape::resnet34() }, s);
        "resnet50", "ResNet, 50 layers, stride in the 3 × 3", |s| resnet(ResNetShape::resnet50(), s);
        "resnet101", "ResNet, 101 layers, stride in the 3 × 3", |s| resnet(ResNetShape::resnet101(), s);
        "resnet152", "ResNet, 152 layers, stride in the 3 × 3", |s| resnet(ResNetShape::resnet152(), s);
        "resnet50_first", "ResNet, 50 layers as published, stride in the first 1 × 1", |s| resnet(stride_first(ResNetShape::resnet50()), s);
        "resnet101_first", "ResNet, 101 layers as published, stride in the first 1 × 1", |s| resnet(stride_first(ResNetShape::resnet101()), s);
        "resnet152_first", "ResNet, 152 layers as published, stride in the first 1 × 1", |s| resnet(stride_first(ResNetShape::resnet152()), s);
        "resnet20_cifar", "ResNet for images of 32 × 32, 20 layers", |s| resnet(ResNetShape::cifar(3)?, s);
        "resnet110_cifar", "ResNet for images of 32 × 32, 110 layers", |s| resnet(ResNetShape::cifar(18)?, s);
        "xception", "Xception", |s| boxed(Xception::new(&XceptionShape::published(), s));
        "unet2015", "U-Net as published, without padding", |s| boxed(UNet::new(&UNetShape::published(), s));
        "unet", "U-Net with padding and batch normalisation, three colours", |s| boxed(UNet::new(&UNetShape::modern(), s));
        "unet_bilinear", "the same, doubled between the pixels", |s| boxed(UNet::new(&UNetShape { doubling: crate::Doubling::Bilinear, ..UNetShape::modern() }, s));
    }
}

/// The network of this name.
///
/// ```
/// use gradus_architectures::entry;
/// assert_eq!(entry("resnet18")?.about, "ResNet, 18 layers");
/// assert!(entry("resnet19").err().is_some_and(|error| error.to_string().contains("resnet18, resnet34")));
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
///
/// # Errors
/// If there is none; the error names all that there are.
pub fn entry(name: &str) -> Result<&'static Entry> {
    catalog().iter().find(|entry| entry.name == name).ok_or_else(|| {
        let names: Vec<_> = catalog().iter().map(|entry| entry.name).collect();
        refused("entry", "network", name, names.join(", "))
    })
}
