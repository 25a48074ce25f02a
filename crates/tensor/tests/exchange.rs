//! To and from nalgebra, serde and files.

use gradus_tensor::{AnyTensor, Tensor, load_safetensors, save_safetensors};
use std::collections::BTreeMap;

#[test]
fn nalgebra_both_ways() {
    let x = Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    let view = x.as_matrix().unwrap();
    assert_eq!((view.nrows(), view.ncols(), view[(1, 2)]), (2, 3, 6.0));
    assert_eq!(Tensor::from(&x.to_matrix().unwrap()), x);
    let v = Tensor::from([1.0, 2.0]);
    assert_eq!(Tensor::from(&v.to_vector().unwrap()), v);
}

#[test]
fn display_cuts_long_axes_and_aligns() {
    let x = Tensor::<f64>::arange(0.0, 2000.0, 1.0).unwrap();
    assert_eq!(format!("{x:.0}"), "[   0,    1,    2, ..., 1997, 1998, 1999]");
    let y = Tensor::from([[[1u32, 20], [3, 4]], [[5, 6], [7, 8]]]);
    assert_eq!(y.to_string(), "[[[ 1, 20],\n  [ 3,  4]],\n\n [[ 5,  6],\n  [ 7,  8]]]");
    assert_eq!(Tensor::scalar(2.5).to_string(), "2.5000");
    assert_eq!(Tensor::from([true, false]).to_string(), "[ true, false]");
    assert_eq!(Tensor::<f64>::zeros([0]).unwrap().to_string(), "[]");
}

#[test]
fn serde_checks_what_it_reads() {
    let x = Tensor::from([[1.5, -2.0]]);
    let text = serde_json::to_string(&x).unwrap();
    assert_eq!(text, r#"{"shape":[1,2],"data":[1.5,-2.0]}"#);
    assert_eq!(serde_json::from_str::<Tensor<f64>>(&text).unwrap(), x);
    for (bad, says) in [
        (r#"{"shape":[3],"data":[1.0]}"#, "holds 3 values, got 1"),
        (r#"{"shape":[1,1,1,1,1,1,1],"data":[1.0]}"#, "rank = 7"),
        (r#"{"shape":[1],"data":[1.0],"more":1}"#, "unknown field"),
    ] {
        let error = serde_json::from_str::<Tensor<f64>>(bad).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}

fn example() -> BTreeMap<String, AnyTensor> {
    let floats = [f32::NAN, -0.0, f32::INFINITY, f32::MIN_POSITIVE / 2.0];
    [
        ("a.weight".to_string(), Tensor::from([floats, [1.0, 2.0, 3.0, 0.1]]).into()),
        ("b".to_string(), Tensor::from([std::f64::consts::PI]).into()),
        ("c".to_string(), Tensor::from([u32::MAX, 0]).into()),
        ("d".to_string(), Tensor::from([[true], [false]]).into()),
        ("e".to_string(), Tensor::scalar(1.0f64).into()),
        ("f".to_string(), Tensor::<f32>::from([[0.0; 3]; 0]).into()),
    ]
    .into()
}

#[test]
fn safetensors_keep_every_bit() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.safetensors");
    save_safetensors(&file, &example()).unwrap();
    let back = load_safetensors(&file).unwrap();
    assert_eq!(back.keys().collect::<Vec<_>>(), example().keys().collect::<Vec<_>>());
    for (name, tensor) in example() {
        match (&tensor, &back[&name]) {
            (AnyTensor::F32(a), AnyTensor::F32(b)) => assert!(a.same_bits(b)),
            (a, b) => assert_eq!(a, b),
        }
    }
}

#[test]
fn malformed_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.safetensors");
    save_safetensors(&file, &example()).unwrap();
    let whole = std::fs::read(&file).unwrap();
    for end in [0, 7, 8, 100, whole.len() - 1] {
        std::fs::write(&file, &whole[..end]).unwrap();
        assert!(load_safetensors(&file).is_err(), "cut at {end}");
    }
    let longer: Vec<u8> = whole.iter().copied().chain([0]).collect();
    std::fs::write(&file, longer).unwrap();
    assert!(load_safetensors(&file).is_err(), "trailing byte");
    std::fs::write(&file, "not a safetensors file at all").unwrap();
    assert!(load_safetensors(&file).unwrap_err().to_string().contains("x.safetensors"));
    assert!(load_safetensors(folder.path().join("absent")).unwrap_err().to_string().contains("absent"));

    let foreign = |dtype: &str, bytes: &[u8]| {
        let n = bytes.len();
        let header = format!(r#"{{"t":{{"dtype":"{dtype}","shape":[1],"data_offsets":[0,{n}]}}}}"#);
        let mut all = (header.len() as u64).to_le_bytes().to_vec();
        all.extend(header.bytes());
        all.extend(bytes);
        std::fs::write(&file, all).unwrap();
        load_safetensors(&file).unwrap_err().to_string()
    };
    assert!(foreign("I64", &[0; 8]).contains("I64"));
    assert!(foreign("BOOL", &[7]).contains("7 is no truth value"));
}

#[test]
fn a_failed_save_leaves_the_old_file() {
    let folder = tempfile::tempdir().unwrap();
    assert!(save_safetensors(folder.path().join("no/such/x"), &example()).is_err());
    // A folder stands where the file should go: the rename fails, nothing is left behind.
    let taken = folder.path().join("taken");
    std::fs::create_dir_all(taken.join("inside")).unwrap();
    assert!(save_safetensors(&taken, &example()).is_err());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_file_names_the_tensor_that_does_not_fit() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("deep.safetensors");
    let header = r#"{"deep":{"dtype":"F32","shape":[1,1,1,1,1,1,1],"data_offsets":[0,4]}}"#;
    let mut all = (header.len() as u64).to_le_bytes().to_vec();
    all.extend(header.bytes());
    all.extend([0; 4]);
    std::fs::write(&file, all).unwrap();
    let text = load_safetensors(&file).unwrap_err().to_string();
    assert!(
        text.contains("deep.safetensors") && text.contains("`deep`") && text.contains("rank = 7"),
        "{text}"
    );
}

#[cfg(unix)]
#[test]
fn a_saved_file_may_be_read_by_whoever_may_read_a_new_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let mode = |name: &str| std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
    std::fs::write(folder.path().join("plain"), "").unwrap();
    save_safetensors(folder.path().join("saved"), &example()).unwrap();
    assert_eq!(mode("saved"), mode("plain"));
}
