//! What `Lines` makes of lists that other programs wrote.

use super::read::{Line, Lines, Odd};
use super::{Entry, seal};
use crate::node::{Meta, Node};

fn read(text: &str) -> (Vec<Line>, Result<(), Odd>) {
    let (mut lines, mut found) = (Lines::foreign(), Vec::new());
    text.as_bytes().chunks(3).for_each(|piece| lines.push(piece, &mut |line| found.push(line)));
    (found, lines.end())
}

/// The entries of another program's list, each in a line.
fn told(text: &str) -> Result<Vec<String>, Odd> {
    let (found, end) = read(text);
    let line = |line: &Line| match line {
        Line::Comment(_) => None,
        Line::Special { path, what } => Some(format!("{path:?} {what:?}")),
        Line::Entry(Entry { node: Node { path, kind, meta }, digest, .. }) => {
            let Meta { mode, uid, modified, .. } = meta;
            let mode = mode.map(|mode| format!("{mode:o}")).unwrap_or_default();
            let path = path.as_ref().map_or_else(|| ".".to_owned(), ToString::to_string);
            let digest = digest.map(|digest| format!(" {} {digest}", digest.algorithm().name()));
            Some(format!("{path} {kind:?} {mode} {uid:?} {modified:?}{}", digest.unwrap_or_default()))
        }
    };
    end.map(|()| found.iter().filter_map(line).collect())
}

#[test]
fn nested_names_defaults_and_long_lines_are_read() {
    // mtree -c of NetBSD 20180822.
    let text = "#\t   user: (null)\n#\t   date: Fri Nov 27 16:35:47 2026\n\n# .\n\
        /set type=file uid=0 mode=0644 nlink=1\n\
        .               type=dir mode=0755 nlink=5 time=1795797347.766957442\n    \
            -dash       size=1 time=1700000000.5\n    \
            uml\\M-C\\M-$ut \\\n                size=1 time=-2.500000000\n    \
            fifo        type=fifo time=1795797347.650957438\n    \
            li\\snk      type=link mode=0777 time=1795797347.0 link=a\\sb\n\n\
        # ./sp ace\nsp\\sace         type=dir mode=0755\n    \
            tw2         nlink=2 size=1\n\n\
        # ./sp ace/deep\ndeep            type=dir\n    file        size=1\n# ./sp ace/deep\n..\n\n\
        # ./sp ace\n..\n\n\n/unset uid\nlast size=2 # a remark\n";
    let wanted = [
        ". Folder 755 Some(0) Some((1795797347, 766957442))",
        "-dash File(1) 644 Some(0) Some((1700000000, 5))",
        "umläut File(1) 644 Some(0) Some((-2, 500000000))",
        "Some(\"fifo\") Fifo",
        "li nk Link([97, 32, 98]) 777 Some(0) Some((1795797347, 0))",
        "sp ace Folder 755 Some(0) None",
        "sp ace/tw2 File(1) 644 Some(0) None",
        "sp ace/deep Folder 644 Some(0) None",
        "sp ace/deep/file File(1) 644 Some(0) None",
        "last File(2) 644 None None",
    ];
    assert_eq!(told(text), Ok(wanted.map(ToOwned::to_owned).into()));
}

#[test]
fn full_paths_are_read_before_their_keywords_and_behind_them() {
    let sum = crate::digest::md5_of(b"x");
    for text in [
        format!(
            "#mtree\n. gname=root time=1.5 mode=755 type=dir\n./a\\040b/c uid=0 type=file size=1 md5digest={sum}\n"
        ),
        // mtree -C, and mtree -D.
        format!(". type=dir mode=0755 time=1.5 \n./a\\sb/c type=file uid=0 size=1 md5={sum} \n"),
        format!("type=dir mode=0755 time=1.5 .\ntype=file uid=0 size=1 md5={sum} ./a\\sb/c\n"),
    ] {
        let wanted = [". Folder 755 None Some((1, 5))".to_owned(), format!("a b/c File(1)  Some(0) None md5 {sum}")];
        assert_eq!(told(&text), Ok(wanted.into()), "{text}");
    }
}

#[test]
fn another_programs_list_is_refused_where_it_says_nothing_that_can_be_relied_on() {
    for (text, what) in [
        ("", "lists nothing"),
        ("#mtree\n", "lists nothing"),
        ("#mtree\n# highwater check", "within a line"),
        ("#mtree\n# highwater checkpoint 1\n. type=dir\n", "it was cut"),
        (". type=dir\n./a type=file size=1", "within a line"),
        (". type=dir \\\n", "within a line"),
        ("a size=1\n", "without its type"),
        ("a type=file ./b type=file\n", "'./b' is no keyword"),
        ("/set link=x\n", "'/set' gives link"),
        ("/set sha256=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n", "'/set' gives a digest"),
        ("..\n", "leads out"),
        (". type=dir\n..\n..\n", "leads out"),
        ("a type=dir\n\\056\\056 type=dir\n", "'..'"),
    ] {
        let odd = told(text).unwrap_err();
        assert!(odd.what.contains(what), "{text}: {odd:?}");
    }
    let text = "# end of what somebody wrote\n./a type=file size=1\n";
    assert_eq!(told(text).map(|lines| lines.len()), Ok(1));
    // A seal is believed or it is none.
    let mut text = text.to_owned();
    seal(&mut text);
    assert_eq!(told(&text).map(|lines| lines.len()), Ok(1));
    assert!(told(&text.replace("size=1", "size=2")).unwrap_err().what.contains("gives the digest"));
    let long = "\\\n".repeat(48 << 10) + "./a type=file size=1\n";
    assert_eq!(told(&long).map(|lines| lines.len()), Ok(1), "what is no part of a line is not kept");
}
