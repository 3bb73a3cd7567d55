/*
 * The page's side of a map: a sandboxed frame that is loaded once for each kind of map and language, and is then told
 * what to draw. The frame is of no origin: it reaches nothing of the page, and is listened to only as this frame.
 * What every map of the page shows of the province is kept here, for the page's session.
 */
const EXTENT = "jinyi-extent", LAYERS = "jinyi-layers ", WAIT = 5000;
const plates = new Set();
let counted = 0;

function kept(name) {
  try { return JSON.parse(window.sessionStorage.getItem(name)); } catch (refused) { return null; }
}

function keep(name, value) {
  try { window.sessionStorage.setItem(name, JSON.stringify(value)); } catch (refused) { /* the map starts anew then */ }
}

/* The extent of a province: one for all its maps. */
function extentOf(data) {
  const all = kept(EXTENT) || {};
  return all[data.extent] || null;
}

class Plate {
  constructor(root) {
    this.box = root.appendChild(document.createElement("div"));
    this.box.className = "plate";
    this.queue = [];
    this.since = 0;
    this.heard = (event) => this.hear(event);
    window.addEventListener("message", this.heard);
    plates.add(this);
  }

  /* Take over what the page's script wrote; only what changed is told to the frame. */
  update(data, trigger) {
    const last = this.data;
    this.data = data;
    this.trigger = trigger;
    this.box.style.height = data.height + "px";
    if (!last || last.frame_is !== data.frame_is || last.frame !== data.frame) {
      this.load();
    } else if (this.ready) {
      const same = last.payload === data.payload && last.margin === data.margin;
      this.tell(Object.assign({ settled: true }, same ? {} : { sheet: this.sheet() },
        last.extent === data.extent ? {} : { at: extentOf(data) }));
    }
    this.frame.title = data.title;
    this.frame.inert = data.withdrawn;
    this.queue = this.queue.filter((event) => event.n > data.told);
    if (last && data.told > last.told) { this.since = 0; }
    this.send();
  }

  load() {
    this.ready = false;
    if (this.frame) { this.frame.remove(); }
    this.frame = document.createElement("iframe");
    this.frame.setAttribute("sandbox", "allow-scripts");
    this.frame.srcdoc = this.data.frame;
    this.box.appendChild(this.frame);
  }

  sheet() {
    return { payload: this.data.payload, margin: this.data.margin, title: this.data.title };
  }

  tell(more) {
    const now = { jinyi: "plate", mode: this.data.mode, withdrawn: this.data.withdrawn };
    const frame = this.frame.contentWindow;
    if (frame) { frame.postMessage(Object.assign(now, more), "*"); }  // none while the page takes it away
  }

  hear(event) {
    const told = event.data;
    if (!this.frame || event.source !== this.frame.contentWindow || !told || told.jinyi !== "plate") { return; }
    if (told.about === "ready") {
      this.ready = true;
      this.tell({ sheet: this.sheet(), at: extentOf(this.data), on: kept(LAYERS + this.data.frame_is.split(" ")[0]) });
    } else if (told.about === "moved") {
      keep(LAYERS + this.data.frame_is.split(" ")[0], told.on);
      this.moved(told.at);
    } else if (told.about === "event" && told.event && !this.data.withdrawn) {
      counted = Math.max(counted + 1, Date.now());
      this.queue.push(Object.assign({}, told.event, { n: counted }));
      this.send();
    }
  }

  moved(at) {
    if (JSON.stringify(extentOf(this.data)) === JSON.stringify(at)) { return; }
    keep(EXTENT, Object.assign(kept(EXTENT) || {}, { [this.data.extent]: at }));
    plates.forEach((other) => {
      if (other !== this && other.ready && other.data.extent === this.data.extent) { other.tell({ at: at }); }
    });
  }

  /* One event at a time: the page's script would see only the last of two that come together. */
  send() {
    if (!this.queue.length || (this.since && Date.now() - this.since < WAIT)) { return; }
    this.since = Date.now();
    this.trigger("event", this.queue[0]);
  }

  leave() {
    window.removeEventListener("message", this.heard);
    plates.delete(this);
    this.box.remove();
  }
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  if (!parentElement.plate) { parentElement.plate = new Plate(parentElement); }
  parentElement.plate.update(data, setTriggerValue);
  return () => {
    if (parentElement.plate) { parentElement.plate.leave(); }
    parentElement.plate = null;
  };
}
