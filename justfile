# Short names for the commands that are typed often. Everything here is plain cargo underneath.

# read the book in the browser
book:
    cargo book

# run every test
test:
    cargo test --workspace

# explore properties: just explore run 'softmax.*' --plot
explore *args:
    cargo explore {{args}}

# run the benches: just bench activations
bench *args:
    cargo bench -p gradus-benches {{args}}

# what the gate asks for: format and clippy
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --all-features -- -D warnings

# build the book with its figures, and check its links
figures:
    cargo book build
    cargo book check

# a reader's journeys in a real browser (node, npm and a chromium of the system): just pages served --walk
pages *args:
    npm ci --silent --prefix tests/pages
    node tests/pages/run.mjs {{args}}

# the whole gate
ci:
    bash .ci/run
