"""Writes logits.csv: what PyTorch's networks give, with weights that golden.rs makes too, and their state dicts' names and shapes.

    pip install torch==2.15.0 torchvision==0.29.2 timm==1.0.31 safetensors==0.8.0 && python logits.py

The networks here are those of torchvision and timm with widths of our choice; before anything is written, each is held against the
library's own object at its published size, name by name and shape by shape. `python logits.py --full FOLDER` writes the same file for
the published sizes into a folder; golden.rs reads it there if GRADUS_GOLDEN names the folder.

Rows: case, "tensor", name, dimensions; then case, "logits", numbers (doubles that read back exactly).
"""

import csv
import math
import pathlib
import sys

import safetensors.torch
import torch
from torch import nn
from torch.nn import functional as F

torch.set_default_dtype(torch.float64)


def conv(inputs, outputs, size, stride=1, padding=0, groups=1, bias=True):
    return nn.Conv2d(inputs, outputs, size, stride, padding, groups=groups, bias=bias)


class AlexNet(nn.Module):
    """The form of 2012 with towers and normalisation, or torchvision's without."""

    def __init__(self, maps, units, classes, towers, normalised, padding, grid):
        super().__init__()
        a, b, c, d, e = maps
        # PyTorch divides alpha by the size: this is the paper's 1e-4.
        norm = [nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)] if normalised else []
        pool = nn.MaxPool2d(3, 2)
        layers = [conv(3, a, 11, 4, padding), nn.ReLU(), *norm, pool]
        layers += [conv(a, b, 5, 1, 2, towers), nn.ReLU(), *norm, pool, conv(b, c, 3, 1, 1), nn.ReLU()]
        layers += [conv(c, d, 3, 1, 1, towers), nn.ReLU(), conv(d, e, 3, 1, 1, towers), nn.ReLU(), pool]
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(grid) if not normalised else nn.Identity()
        u, v = units
        self.classifier = nn.Sequential(
            nn.Dropout(), nn.Linear(e * grid * grid, u), nn.ReLU(), nn.Dropout(), nn.Linear(u, v), nn.ReLU(), nn.Linear(v, classes)
        )

    def forward(self, x):
        return self.classifier(torch.flatten(self.avgpool(self.features(x)), 1))


BLOCKS = {
    "A": [[3], [3], [3, 3], [3, 3], [3, 3]],
    "B": [[3, 3]] * 5,
    "C": [[3, 3], [3, 3], [3, 3, 1], [3, 3, 1], [3, 3, 1]],
    "D": [[3, 3], [3, 3], [3, 3, 3], [3, 3, 3], [3, 3, 3]],
    "E": [[3, 3], [3, 3], [3, 3, 3, 3], [3, 3, 3, 3], [3, 3, 3, 3]],
}


class VGG(nn.Module):
    def __init__(self, column, norm, width, grid, units, classes):
        super().__init__()
        layers, inputs = [], 3
        for block, factor in zip(BLOCKS[column], [1, 2, 4, 8, 8]):
            for size in block:
                layers.append(conv(inputs, width * factor, size, 1, size // 2))
                layers += [nn.BatchNorm2d(width * factor)] if norm else []
                layers.append(nn.ReLU())
                inputs = width * factor
            layers.append(nn.MaxPool2d(2, 2))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(grid)
        self.classifier = nn.Sequential(
            nn.Linear(inputs * grid * grid, units), nn.ReLU(), nn.Dropout(), nn.Linear(units, units), nn.ReLU(), nn.Dropout(),
            nn.Linear(units, classes),
        )

    def forward(self, x):
        return self.classifier(torch.flatten(self.avgpool(self.features(x)), 1))


class Block(nn.Module):
    def __init__(self, inputs, maps, stride, bottleneck, stride_first, projection):
        super().__init__()
        outputs = 4 * maps if bottleneck else maps
        if bottleneck:
            first, second = (stride, 1) if stride_first else (1, stride)
            self.conv1, self.bn1 = conv(inputs, maps, 1, first, bias=False), nn.BatchNorm2d(maps)
            self.conv2, self.bn2 = conv(maps, maps, 3, second, 1, bias=False), nn.BatchNorm2d(maps)
            self.conv3, self.bn3 = conv(maps, outputs, 1, bias=False), nn.BatchNorm2d(outputs)
        else:
            self.conv1, self.bn1 = conv(inputs, maps, 3, stride, 1, bias=False), nn.BatchNorm2d(maps)
            self.conv2, self.bn2 = conv(maps, maps, 3, 1, 1, bias=False), nn.BatchNorm2d(maps)
        self.bottleneck, self.stride, self.more, self.downsample = bottleneck, stride, outputs - inputs, None
        if (stride != 1 or inputs != outputs) and projection:
            self.downsample = nn.Sequential(conv(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.bottleneck:
            y = self.bn3(self.conv3(F.relu(y)))
        if self.downsample is not None:
            x = self.downsample(x)
        elif self.more or self.stride != 1:
            x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.more))
        return F.relu(y + x)


class ResNet(nn.Module):
    def __init__(self, blocks, width, classes, bottleneck=False, stride_first=False, projection=True, cifar=False):
        super().__init__()
        self.conv1 = conv(3, width, 3, 1, 1, bias=False) if cifar else conv(3, width, 7, 2, 3, bias=False)
        self.bn1, self.cifar, self.stages, inputs = nn.BatchNorm2d(width), cifar, len(blocks), width
        for stage, count in enumerate(blocks):
            layer = []
            for i in range(count):
                stride = 2 if stage > 0 and i == 0 else 1
                layer.append(Block(inputs, width * 2**stage, stride, bottleneck, stride_first, projection))
                inputs = width * 2**stage * (4 if bottleneck else 1)
            setattr(self, f"layer{stage + 1}", nn.Sequential(*layer))
        self.fc = nn.Linear(inputs, classes)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        if not self.cifar:
            x = F.max_pool2d(x, 3, 2, 1)
        for stage in range(self.stages):
            x = getattr(self, f"layer{stage + 1}")(x)
        return self.fc(x.mean((2, 3)))


class Separable(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv1 = conv(inputs, inputs, 3, 1, 1, inputs, bias=False)
        self.pointwise = conv(inputs, outputs, 1, bias=False)

    def forward(self, x):
        return self.pointwise(self.conv1(x))


class Module(nn.Module):
    def __init__(self, maps, halves, relu_first):
        super().__init__()
        rep = []
        for i, (a, b) in enumerate(zip(maps, maps[1:])):
            rep += [nn.ReLU()] if i > 0 or relu_first else []
            rep += [Separable(a, b), nn.BatchNorm2d(b)]
        self.rep = nn.Sequential(*rep, *([nn.MaxPool2d(3, 2, 1)] if halves else []))
        self.skip = None
        if halves or maps[0] != maps[-1]:
            self.skip = conv(maps[0], maps[-1], 1, 2 if halves else 1, bias=False)
            self.skipbn = nn.BatchNorm2d(maps[-1])

    def forward(self, x):
        return self.rep(x) + (x if self.skip is None else self.skipbn(self.skip(x)))


class Xception(nn.Module):
    def __init__(self, stem, entry, middle, exit, classes):
        super().__init__()
        self.conv1, self.bn1 = conv(3, stem[0], 3, 2, bias=False), nn.BatchNorm2d(stem[0])
        self.conv2, self.bn2 = conv(stem[0], stem[1], 3, bias=False), nn.BatchNorm2d(stem[1])
        a, b, c = entry
        blocks = [Module([stem[1], a, a], True, False), Module([a, b, b], True, True), Module([b, c, c], True, True)]
        blocks += [Module([c] * 4, False, True) for _ in range(middle)] + [Module([c, c, exit[0]], True, True)]
        self.count = len(blocks)
        for i, block in enumerate(blocks):
            setattr(self, f"block{i + 1}", block)
        self.conv3, self.bn3 = Separable(exit[0], exit[1]), nn.BatchNorm2d(exit[1])
        self.conv4, self.bn4 = Separable(exit[1], exit[2]), nn.BatchNorm2d(exit[2])
        self.fc = nn.Linear(exit[2], classes)

    def forward(self, x):
        x = F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))
        for i in range(self.count):
            x = getattr(self, f"block{i + 1}")(x)
        x = F.relu(self.bn4(self.conv4(F.relu(self.bn3(self.conv3(x))))))
        return self.fc(x.mean((2, 3)))


class DoubleConv(nn.Module):
    def __init__(self, inputs, maps, padding, norm):
        super().__init__()
        self.conv1 = conv(inputs, maps, 3, 1, padding, bias=not norm)
        self.bn1 = nn.BatchNorm2d(maps) if norm else nn.Identity()
        self.conv2 = conv(maps, maps, 3, 1, padding, bias=not norm)
        self.bn2 = nn.BatchNorm2d(maps) if norm else nn.Identity()

    def forward(self, x):
        return F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))


class Up(nn.Module):
    def __init__(self, inputs, maps, padding, norm, bilinear):
        super().__init__()
        self.up = conv(inputs, maps, 1) if bilinear else nn.ConvTranspose2d(inputs, maps, 2, 2)
        self.conv, self.bilinear = DoubleConv(2 * maps, maps, padding, norm), bilinear

    def forward(self, x, skip):
        if self.bilinear:
            x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
        x = self.up(x)
        down, across = [(skip.shape[i] - x.shape[i]) // 2 for i in (2, 3)]
        skip = skip[:, :, down : down + x.shape[2], across : across + x.shape[3]]
        return self.conv(torch.cat([skip, x], 1))


class UNet(nn.Module):
    def __init__(self, channels, classes, width, levels, padded, norm, bilinear):
        super().__init__()
        maps = [width * 2**level for level in range(levels + 1)]
        self.levels = levels
        for i, (a, b) in enumerate(zip([channels, *maps], maps)):
            setattr(self, f"down{i + 1}", DoubleConv(a, b, int(padded), norm))
        for i in range(levels):
            setattr(self, f"up{i + 1}", Up(maps[levels - i], maps[levels - i - 1], int(padded), norm, bilinear))
        self.head = conv(width, classes, 1)

    def forward(self, x):
        skips = []
        for i in range(self.levels + 1):
            if i > 0:
                skips.append(x)
                x = F.max_pool2d(x, 2)
            x = getattr(self, f"down{i + 1}")(x)
        for i in range(self.levels):
            x = getattr(self, f"up{i + 1}")(x, skips.pop())
        return self.head(x)


ALEX = dict(towers=2, normalised=True, padding=0, grid=6)
TORCH = dict(towers=1, normalised=False, padding=2, grid=6)
IMAGENET = [96, 256, 384, 384, 256]

# Name: the network, and the image. As in golden.rs.
SMALL = {
    "alexnet2012": (AlexNet([4, 8, 12, 12, 8], [16, 16], 10, **(ALEX | {"grid": 1})), (3, 67, 67)),
    "alexnet": (AlexNet([4, 8, 12, 12, 8], [16, 16], 10, **(TORCH | {"grid": 1})), (3, 67, 70)),
    "vgg11": (VGG("A", False, 2, 1, 8, 10), (3, 32, 32)),
    "vgg13_bn": (VGG("B", True, 1, 1, 8, 10), (3, 40, 32)),
    "vgg16c": (VGG("C", False, 1, 1, 8, 10), (3, 32, 32)),
    "vgg16": (VGG("D", False, 1, 2, 8, 10), (3, 64, 64)),
    "vgg19_bn": (VGG("E", True, 1, 1, 8, 10), (3, 32, 32)),
    "resnet18": (ResNet([2, 2, 2, 2], 2, 10), (3, 64, 48)),
    "resnet50": (ResNet([3, 4, 6, 3], 2, 10, True), (3, 64, 64)),
    "resnet50_first": (ResNet([2, 2], 2, 10, True, True), (3, 32, 32)),
    "resnet20_cifar": (ResNet([3, 3, 3], 4, 10, projection=False, cifar=True), (3, 32, 32)),
    "xception": (Xception([2, 4], [6, 8, 10], 2, [12, 14, 16], 10), (3, 71, 71)),
    "unet2015": (UNet(1, 2, 2, 2, False, False, False), (1, 60, 64)),
    "unet": (UNet(3, 2, 2, 2, True, True, False), (3, 16, 20)),
    "unet_bilinear": (UNet(3, 2, 2, 2, True, True, True), (3, 16, 20)),
}


def published():
    """The networks at their published sizes, and the libraries' own of the same name where there are any."""
    import timm
    import torchvision.models as tv

    photo = (3, 224, 224)
    vgg = {"11": "A", "13": "B", "16": "D", "19": "E"}
    yield "alexnet2012", AlexNet(IMAGENET, [4096, 4096], 1000, **ALEX), (3, 227, 227), None
    yield "alexnet2012_one_tower", AlexNet(IMAGENET, [4096, 4096], 1000, **(ALEX | {"towers": 1})), (3, 227, 227), None
    yield "alexnet", AlexNet([64, 192, 384, 256, 256], [4096, 4096], 1000, **TORCH), photo, tv.alexnet()
    yield "vgg16c", VGG("C", False, 64, 7, 4096, 1000), photo, None
    for layers, column in vgg.items():
        yield f"vgg{layers}", VGG(column, False, 64, 7, 4096, 1000), photo, getattr(tv, f"vgg{layers}")()
        yield f"vgg{layers}_bn", VGG(column, True, 64, 7, 4096, 1000), photo, getattr(tv, f"vgg{layers}_bn")()
    for layers, blocks in {"18": [2, 2, 2, 2], "34": [3, 4, 6, 3], "50": [3, 4, 6, 3], "101": [3, 4, 23, 3], "152": [3, 8, 36, 3]}.items():
        bottleneck = int(layers) > 34
        yield f"resnet{layers}", ResNet(blocks, 64, 1000, bottleneck), photo, getattr(tv, f"resnet{layers}")()
        if bottleneck:
            yield f"resnet{layers}_first", ResNet(blocks, 64, 1000, True, True), photo, None
    yield "resnet34a", ResNet([3, 4, 6, 3], 64, 1000, projection=False), photo, None
    yield "resnet20_cifar", ResNet([3, 3, 3], 16, 10, projection=False, cifar=True), (3, 32, 32), None
    yield "resnet110_cifar", ResNet([18, 18, 18], 16, 10, projection=False, cifar=True), (3, 32, 32), None
    xception = Xception([32, 64], [128, 256, 728], 8, [1024, 1536, 2048], 1000)
    yield "xception", xception, (3, 299, 299), timm.create_model("legacy_xception")
    yield "unet2015", UNet(1, 2, 64, 4, False, False, False), (1, 188, 204), None
    yield "unet", UNet(3, 2, 64, 4, True, True, False), (3, 64, 80), None
    yield "unet_bilinear", UNet(3, 2, 64, 4, True, True, True), (3, 64, 80), None


def made(count, phase):
    """sin(1.7 i + phase) of element i: no random generator to agree on."""
    return torch.sin(1.7 * torch.arange(count) + phase)


def state(net):
    """A state for all names in alphabetical order, numbered from 1."""
    out = {}
    for phase, (name, old) in enumerate(sorted(kept(net).items()), 1):
        values = made(old.numel(), phase).reshape(old.shape)
        last = name.split(".")[-1]
        if old.dim() > 1:
            values = values * 1.4 * math.sqrt(2 / old[0].numel())
        elif last == "running_var":
            values = 1 + 0.5 * values
        elif last == "weight":
            values = 1 + 0.3 * values
        else:
            values = 0.1 * values
        out[name] = values
    return out


def kept(net):
    """Without the batches' count, which nothing depends on."""
    return {name: value for name, value in net.state_dict().items() if not name.endswith("num_batches_tracked")}


def write(file, cases):
    with open(file, "w", newline="") as out:
        rows = csv.writer(out, lineterminator="\n")
        for name, net, image in cases:
            net.load_state_dict(state(net), strict=False)
            for tensor, value in sorted(kept(net).items()):
                rows.writerow([name, "tensor", tensor, *value.shape])
            count = 2 * math.prod(image)
            x = made(count, 0.5).reshape(2, *image)
            with torch.no_grad():
                y = net.eval()(x).flatten()
            # Of the maps of a U-Net some pixels: the last number with them.
            rows.writerow([name, "logits", *[repr(v) for v in y[:: max(1, len(y) // 40)].tolist()]])
            print(name, sum(p.numel() for p in net.parameters()))


folder = pathlib.Path(__file__).parent
if "--full" in sys.argv:
    target = pathlib.Path(sys.argv[sys.argv.index("--full") + 1])
    target.mkdir(parents=True, exist_ok=True)

    def checked():
        for name, net, image, library in published():
            if library is not None:
                ours = {key: value.shape for key, value in net.state_dict().items()}
                theirs = {key: value.shape for key, value in library.state_dict().items()}
                assert ours == theirs, (name, set(ours.items()) ^ set(theirs.items()))
                print(name, "has the library's names and shapes")
            yield name, net, image

    write(target / "logits.csv", checked())
else:
    write(folder / "logits.csv", ((name, net, image) for name, (net, image) in SMALL.items()))
    # A file as PyTorch's users have it: single precision, with the batches' count.
    torch.manual_seed(1)
    net = ResNet([1, 1], 2, 3, cifar=True).float()
    safetensors.torch.save_file(net.state_dict(), folder / "resnet.safetensors")
