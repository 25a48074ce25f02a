use gradus_initialization::Stream;
use std::time::Instant;
fn main() {
    let mut v = gradus_tensor::Tensor::<f32>::zeros([100_000_000]).unwrap(); let v = v.as_mut_slice();
    for t in [1, 2] {
        gradus_tensor::with_threads(t, || {
            for name in ["normal", "uniform", "memset"] {
                let mut times = vec![];
                for _ in 0..8 {
                    let s = Instant::now();
                    match name { "normal" => Stream::new(7).fill_normal(v), "uniform" => Stream::new(7).fill_uniform(v),
                     _ => gradus_tensor::kernel::for_each_block(v, 1<<15, |i, b| b.fill(i as f32)) }
                    times.push(s.elapsed().as_secs_f64());
                }
                times.sort_by(f64::total_cmp);
                println!("{t} {name} min {:.1} med {:.1} ms", times[0] * 1e3, times[4] * 1e3);
            }
        });
    }
    Stream::new(7).fill_normal(v);
    let n = v.len() as f64;
    let m = |p: i32| v.iter().map(|&x| f64::from(x).powi(p)).sum::<f64>() / n;
    println!("{} {} {} {} max {}", m(1), m(2), m(3), m(4), v.iter().fold(0f32, |a, &x| a.max(x.abs())));
}
