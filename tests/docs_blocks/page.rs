//! The command blocks of a page of Markdown.

/// One ```` ```sh ```` block.
pub(crate) struct Block {
    /// The line of its opening fence, from 1.
    pub(crate) line: usize,
    pub(crate) lines: Vec<String>,
    pub(crate) needs: Option<String>,
    /// The code that some command of it ends with.
    pub(crate) exits: Option<i32>,
    /// Its command goes on until SIGTERM.
    pub(crate) serves: bool,
    /// The output that stands beside it.
    pub(crate) shows: Option<Shown>,
}

/// A ```` ```text ```` block.
pub(crate) struct Shown {
    /// The line of its opening fence, from 1.
    pub(crate) line: usize,
    pub(crate) lines: Vec<String>,
}

pub(crate) struct Page {
    pub(crate) path: String,
    /// Files that the page shows whole: ```` ```yaml file=NAME ````.
    pub(crate) files: Vec<(String, String)>,
    pub(crate) blocks: Vec<Block>,
}

impl Page {
    pub(crate) fn read(path: &str, text: &str) -> Page {
        let (mut blocks, mut files): (Vec<Block>, _) = (Vec::new(), Vec::new());
        // Whether the next block of text is what the last block has said.
        let mut beside = false;
        let mut lines = text.lines().enumerate();
        while let Some((index, line)) = lines.next() {
            let Some(fence) = line.strip_prefix("```") else {
                beside &= !line.starts_with('#');
                continue;
            };
            let inside: Vec<String> =
                lines.by_ref().map(|(_, line)| line.to_owned()).take_while(|line| line != "```").collect();
            let line = index + 1;
            let mut words = fence.split(' ');
            match words.next() {
                Some("sh") => blocks.push(Block::new(path, line, inside, words)),
                Some("text") if beside => {
                    blocks.last_mut().unwrap().shows = Some(Shown { line, lines: inside });
                }
                _ => {}
            }
            if let Some((_, name)) = fence.split_once(" file=") {
                let inside = &text.lines().skip(line).take_while(|line| *line != "```").collect::<Vec<_>>();
                files.push((name.to_owned(), inside.join("\n") + "\n"));
            }
            beside = fence == "sh" || fence.starts_with("sh ");
        }
        Page { path: path.to_owned(), files, blocks }
    }

    /// The blocks that can run here.
    pub(crate) fn runs(&self) -> impl Iterator<Item = &Block> {
        self.blocks.iter().filter(|block| block.needs.is_none())
    }
}

impl Block {
    fn new<'a>(path: &str, line: usize, lines: Vec<String>, words: impl Iterator<Item = &'a str>) -> Block {
        let mut block = Block { line, lines, needs: None, exits: None, serves: false, shows: None };
        for word in words {
            match word.split_once('=') {
                Some(("needs", need)) => block.needs = Some(need.to_owned()),
                Some(("exits", code)) => block.exits = Some(code.parse().unwrap()),
                None if word == "serves" => block.serves = true,
                _ => panic!("{path}:{line}: `{word}` says nothing"),
            }
        }
        block
    }
}
