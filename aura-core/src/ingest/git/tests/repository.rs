//! Small repositories for tests, built with the git program.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A repository that is removed with its directory.
pub(super) struct Repository {
    path: PathBuf,
    _dir: Option<tempfile::TempDir>,
}

impl Repository {
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let repo = Repository {
            path: dir.path().to_owned(),
            _dir: Some(dir),
        };
        repo.git(&["init", "-q", "-b", "main"]);
        repo
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Runs git without any configuration of the machine and returns what it printed, trimmed.
    pub(super) fn git(&self, arguments: &[&str]) -> String {
        self.run(arguments, &[], None)
    }

    pub(super) fn git_with_input(&self, arguments: &[&str], input: &[u8]) -> String {
        self.run(arguments, &[], Some(input))
    }

    /// Commits what is staged, or nothing, with the identity as author and committer.
    pub(super) fn commit_as(&self, who: &str, when: &str, message: &str) {
        let (name, rest) = who.split_once(" <").unwrap();
        let email = rest.trim_end_matches('>');
        self.run(
            &["commit", "-q", "--allow-empty", "-m", message],
            &[
                ("GIT_AUTHOR_NAME", name),
                ("GIT_AUTHOR_EMAIL", email),
                ("GIT_AUTHOR_DATE", when),
                ("GIT_COMMITTER_DATE", when),
            ],
            None,
        );
    }

    /// Stores a commit object without any check and returns its id.
    pub(super) fn write_commit(&self, object: &[u8]) -> String {
        self.git_with_input(
            &[
                "hash-object",
                "-t",
                "commit",
                "-w",
                "--literally",
                "--stdin",
            ],
            object,
        )
    }

    /// Clones with `arguments` to `target`.
    pub(super) fn clone_to(&self, arguments: &[&str], target: &Path) -> Repository {
        let mut all = vec!["clone", "-q"];
        all.extend(arguments);
        all.push(target.to_str().unwrap());
        self.git(&all);
        Repository {
            path: target.to_owned(),
            _dir: None,
        }
    }

    fn run(&self, arguments: &[&str], variables: &[(&str, &str)], input: Option<&[u8]>) -> String {
        let mut child = Command::new("git")
            .current_dir(&self.path)
            .args(["-c", "protocol.file.allow=always", "-c", "gc.auto=0"])
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_NAME", "Test")
            .env("GIT_AUTHOR_EMAIL", "test@example.org")
            .env("GIT_COMMITTER_NAME", "Test")
            .env("GIT_COMMITTER_EMAIL", "test@example.org")
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the tests of git history need the git program");
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.unwrap_or_default())
            .unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(
            output.status.success(),
            "git {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout)
            .trim_end()
            .to_owned()
    }
}

/// A sequence that is the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }
}

/// About 70 commits on `main` and side branches: edits at random places, new and deleted files, renames, modes, a
/// symbolic link, a file that becomes a directory, CRLF, files without a last newline, binary files,
/// merges, co-authors, and commits that change nothing.
pub(super) fn history() -> Repository {
    let repo = Repository::new();
    let mut dice = Dice(42);
    let mut clock = 1_700_000_000_i64;
    let authors = [
        "Ada <ada@example.org>",
        "Bob <Bob@Example.ORG>",
        "dependabot[bot] <bot@example.org>",
    ];
    let mut commit = |repo: &Repository, dice: &mut Dice, message: &str| {
        clock += dice.below(5_000) as i64;
        repo.git(&["add", "-A"]);
        repo.commit_as(
            authors[dice.below(3)],
            &format!("{clock} +0{}00", dice.below(9)),
            message,
        );
    };
    let path = |name: &str| repo.path().join(name);
    for file in 0..6 {
        let text: String = (0..120)
            .map(|line| format!("file {file} line {line}\n"))
            .collect();
        std::fs::create_dir_all(path(&format!("dir{}", file % 3))).unwrap();
        std::fs::write(path(&format!("dir{}/f{file}.txt", file % 3)), text).unwrap();
    }
    commit(&repo, &mut dice, "start");
    for round in 0..12 {
        for step in 0..3 {
            let file = dice.below(6);
            let name = path(&format!("dir{}/f{file}.txt", file % 3));
            let text = std::fs::read_to_string(&name).unwrap();
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            for edit in 0..1 + dice.below(6) {
                let at = dice.below(lines.len());
                match dice.below(3) {
                    0 => lines[at] = format!("changed in {round}.{step}.{edit}"),
                    1 => lines.insert(at, format!("new in {round}.{step}.{edit}")),
                    _ => {
                        lines.remove(at);
                    }
                }
            }
            let end = if dice.below(4) == 0 { "" } else { "\n" };
            std::fs::write(&name, lines.join("\n") + end).unwrap();
            commit(
                &repo,
                &mut dice,
                "edit\n\nCo-authored-by: Cleo <cleo@example.org>",
            );
        }
        let extra = path(&format!("extra{round}"));
        match round {
            0 => std::fs::write(&extra, b"\x00\x01binary\n\n\n").unwrap(),
            1 => std::fs::write(path("extra0"), b"\x00\x02other\n").unwrap(),
            2 => std::fs::write(&extra, "windows\r\nlines\r\n".repeat(20)).unwrap(),
            3 => std::fs::write(path("extra2"), "windows\nlines\r\n".repeat(20)).unwrap(),
            4 => {
                repo.git(&["mv", "dir0/f0.txt", "moved.txt"]);
                std::fs::write(path("dir0/f0.txt"), "back\nagain\nand again\n").unwrap();
            }
            5 => std::fs::write(path("extra0"), "text now\n").unwrap(),
            6 => std::os::unix::fs::symlink("extra2", &extra).unwrap(),
            7 => {
                std::fs::remove_file(path("extra6")).unwrap();
                std::fs::write(path("extra6"), "no link\nany more\n").unwrap();
            }
            8 => {
                std::fs::remove_file(path("extra6")).unwrap();
                std::fs::create_dir(path("extra6")).unwrap();
                std::fs::write(path("extra6/inside"), "a directory\n").unwrap();
            }
            9 => {
                repo.git(&["update-index", "--chmod=+x", "moved.txt"]);
                repo.git(&["config", "core.fileMode", "false"]);
            }
            10 => std::fs::write(&extra, "").unwrap(),
            _ => {
                let id = repo.git(&["rev-parse", "HEAD"]);
                repo.git(&[
                    "update-index",
                    "--add",
                    "--cacheinfo",
                    &format!("160000,{id},module"),
                ]);
                std::fs::create_dir(path("module")).unwrap();
            }
        }
        commit(&repo, &mut dice, "special");
        if round % 2 == 0 {
            let side = format!("side{round}");
            repo.git(&["checkout", "-q", "-b", &side, "HEAD~2"]);
            std::fs::write(
                path(&format!("side{round}.txt")),
                "side\n".repeat(round + 1),
            )
            .unwrap();
            commit(&repo, &mut dice, "side work");
            repo.git(&["checkout", "-q", "main"]);
            clock_merge(&repo, &side, round);
        }
    }
    commit(&repo, &mut dice, "nothing");
    repo
}

fn clock_merge(repo: &Repository, side: &str, round: usize) {
    let when = format!("{} +0000", 1_700_100_000 + round * 10_000);
    repo.run(
        &["merge", "-q", "--no-ff", "-m", "merge", side],
        &[("GIT_AUTHOR_DATE", &when), ("GIT_COMMITTER_DATE", &when)],
        None,
    );
}
