// What `make lecture` adds to the page of its notebook: run all cells, then start the slideshow.
define(["base/js/namespace"], (Jupyter) => {
  const WIDGET = "application/vnd.jupyter.widget-view+json";
  const banner = document.createElement("div");
  banner.id = "lecture-banner";
  banner.setAttribute("role", "status");
  document.body.append(banner);
  const say = (text) => (banner.textContent = text);
  const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  const until = async (condition) => {
    while (!condition()) await pause(200);
  };

  const actions = () => Jupyter.notebook.keyboard_manager.actions;
  const code = () => Jupyter.notebook.get_cells().filter((cell) => cell.cell_type === "code");
  const waiting = () => code().filter((cell) => !Number.isInteger(cell.input_prompt_number));
  const has = (cell, test) => cell.output_area.outputs.some(test);
  const failed = () => code().find((cell) => has(cell, (output) => output.output_type === "error"));
  const hollow = () =>
    code().some((cell) => has(cell, (output) => output.data?.[WIDGET]) && !cell.element.find(".live-view").length);

  // The notes of the slide that is shown, in a window of their own. RISE would open the notebook twice more there.
  function openNotes() {
    const notes = window.open("", "lecture-notes", "width=800,height=600");
    if (!notes) return window.alert("The browser does not let this page open a window for the notes: allow it.");
    notes.document.title = "Notes";
    notes.document.body.style.cssText = "margin: 1.5em; font: 24px/1.4 sans-serif";
    const show = () => {
      const said = window.Reveal.getCurrentSlide().querySelector("aside.notes .rendered_html");
      notes.document.body.innerHTML = said ? said.innerHTML : "";
    };
    window.Reveal.addEventListener("slidechanged", show);
    show();
  }

  function listen(event) {
    const typing = event.target.closest("input, select, textarea, .CodeMirror");
    if (event.key !== "t" || event.ctrlKey || event.metaKey || event.altKey || typing) return;
    event.stopImmediatePropagation();
    openNotes();
  }

  async function lecture() {
    say("Preparing the lecture: the kernel starts ...");
    await until(() => Jupyter.notebook?._fully_loaded && Jupyter.notebook.kernel?.is_connected());
    const { notebook } = Jupyter;
    await until(() => notebook.kernel.widget_manager && actions().exists("RISE:slideshow"));
    // The manager asks the kernel for widgets of the past, then draws all views anew: not later, amid the run.
    await notebook.kernel.widget_manager._loadFromKernel();
    await pause(500);

    for (const cell of notebook.get_cells()) {
      cell.element.toggleClass("lecture-output-only", !cell.metadata.lecture?.code);
    }
    for (const cell of code()) cell.set_input_prompt();
    notebook.set_autosave_interval(0);
    notebook.execute_all_cells();
    await until(() => {
      say(`Preparing the lecture: ${waiting().length} cells are still to run ...`);
      return failed() || !(waiting().length || hollow());
    });
    if (failed()) return say(`A cell failed: ${failed().get_text().slice(0, 80)}`);
    notebook.select(0);
    actions().call("RISE:slideshow");
    window.addEventListener("keydown", listen, true);
    banner.remove();
  }
  lecture();
});
