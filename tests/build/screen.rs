//! On a terminal.

use crate::place::Place;
use crate::support::Sandbox;
use crate::support::terminal::Terminal;

#[test]
fn a_live_picture() {
    Sandbox::each(|sandbox| {
        let place = Place::new(sandbox);
        place.dockerfile("FROM workbench\nRUN echo heard while it runs; sleep 0.6\nRUN true\n");
        let mut terminal = Terminal::start(sandbox.std_command(&place.words(&["-t", "built"])));
        terminal.expect("=> => # heard while it runs");
        terminal.resize(10, 50);
        assert_eq!(terminal.wait().code(), Some(0));
        terminal.expect("FINISHED");
        terminal.expect(" => [2/3] RUN echo heard while it runs; ");
        // The cursor is there again.
        let screen = terminal.screen();
        assert!(screen.rfind("\x1b[?25h") > screen.rfind("\x1b[?25l"), "{screen:?}");
        let cached = Terminal::start(sandbox.std_command(&place.words(&[])));
        cached.expect("CACHED [3/3] RUN true");
    });
}

#[test]
fn ctrl_c_ends_it_and_gives_the_cursor_back() {
    let sandbox = Sandbox::new();
    let place = Place::new(&sandbox);
    place.dockerfile("FROM workbench\nRUN echo sleeping; sleep 3218\n");
    let mut terminal = Terminal::start(sandbox.std_command(&place.words(&[])));
    terminal.expect("=> => # sleeping");
    terminal.type_in("\x03");
    assert_eq!(terminal.wait().code(), Some(130));
    terminal.expect("CANCELED [2/2] RUN echo sleeping");
    terminal.expect("ERROR: failed to solve: Canceled: context canceled");
    let screen = terminal.screen();
    assert!(screen.rfind("\x1b[?25h") > screen.rfind("\x1b[?25l"), "{screen:?}");
    assert_eq!(place.drafts().len(), 0);
}

#[test]
fn a_shell_in_the_state_before_the_command_that_failed() {
    Sandbox::each(|sandbox| {
        let place = Place::new(sandbox);
        place.dockerfile("FROM workbench\nENV A=known\nWORKDIR /here\nRUN echo made > file\nRUN touch no; false\n");
        let mut terminal = Terminal::start(sandbox.std_command(&place.words(&["--debug-shell"])));
        terminal.expect("A shell in the state before the command that failed");
        terminal.type_in("echo $A in $PWD has $(cat file) and $(ls | wc -l); exit 4\n");
        terminal.expect("known in /here has made and 1");
        assert_eq!(terminal.wait().code(), Some(1), "the build has failed all the same");
        terminal.expect("ERROR: failed to solve: process");
        assert_eq!(sandbox.ok(&["ps", "-aq"]), "");
        assert_eq!(sandbox.ok(&["images", "-aq", "--filter", "dangling=true"]), "");
    });
    let sandbox = Sandbox::new();
    let place = Place::new(&sandbox);
    let refused = place.dockerfile("FROM workbench\n").fails(&["--debug-shell"]);
    assert_eq!(refused, "ERROR: --debug-shell: the input device is not a TTY\n");
}
