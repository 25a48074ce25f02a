//! Every property of the crate, a test of its own name.

gradus_formula::property_tests!(gradus_diffusion::properties());
