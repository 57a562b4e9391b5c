// Shows the session until Python does, by its rules. What is rare is left to it.
{
  // Past what markup hides.
  const own = (node, name) => {
    const value = Reflect.get(Reflect.getPrototypeOf(node), name, node);
    return typeof value === "function" ? value.bind(node) : value;
  };
  addEventListener("submit", (e) => own(e.target, "matches")("[data-session-action]") && e.preventDefault());

  const page = own(document, "documentElement").dataset;
  const bound = "[data-session-text],[data-session-attr],[data-session-show],[data-session-class]";
  const must = (holds) => {
    if (!holds) throw Error();
  };

  const parse = ([status, body, headers]) => {
    must(status === 200 && /^content-type,[^;]*json *(;|$)/m.test(headers.join("\n")));
    const data = JSON.parse(body) ?? {};
    if (JSON.stringify(data) === "{}") return ["unauthenticated", null];
    const { user, expires } = data;
    must(expires > new Date().toJSON() && expires === new Date(expires).toJSON());
    must(user?.length !== 0);
    if (Number.isInteger(user?.id)) user.id = text(user.id);
    return ["authenticated", data];
  };

  const text = (value) => {
    must(/^(string|boolean)$/.test(typeof value) || (Number.isInteger(value) && Math.abs(value) <= 2 ** 53));
    return value === true ? "True" : value === false ? "False" : String(value);
  };

  const attribute = (name, value, tag) => {
    must(/^[a-z][a-z0-9_.-]*$/.test(name) && !/^(script|base|source)$/.test(tag));
    must(!/^(on.*|style|srcdoc|(image)?srcset|is|archive|base|by|classid|codebase|content|dynsrc)$/.test(name));
    must(!/^(from|(inner|outer)html|longdesc|lowsrc|manifest|to|values)$/.test(name));
    if (value === null || value === false) return null;
    const url = value === true ? "" : text(value);
    if (!/^(action|background|cite|data|formaction|href|ping|poster|src)$/.test(name)) return url;
    must(url === url.trim());
    if (/[\0-\x1f\x7f-\xa0\\\u200b-\u200f\u2028-\u202e\u2060\ufeff]/.test(url.split(/[?#]/)[0])) return null;
    if (/^poster|^srcimg$/.test(name + tag) && /^data:image\//i.test(url)) return url;
    return /^https?:\/\/|^(?![a-z][a-z0-9+.-]*:)/i.test(url) ? url : null;
  };

  const show = (status, data) => {
    const read = (path) => {
      must(/^(?!expires\b|.*\b__)\w+(\.\w+)*$/.test(path));
      const field = (at, name) => (typeof at === "object" && Object.hasOwn({ ...at }, name) ? at[name] : null);
      return path.split(".").reduce(field, data);
    };
    const isTrue = (value) => value && (typeof value !== "object" || value === data.user || Object.keys(value)[0]);
    const isStatus = /^(loading|(un)?authenticated|error)$/;
    const holds = (words) =>
      words.match(/\S+/g).map((word) => (isStatus.test(word) ? word === status : isTrue(read(word)))).some(Boolean);
    const pairs = (words) => words?.match(/\S+/g)?.map((word) => word.match(/^(.+):([^:]+)$/).slice(1)) ?? [];
    const write = (to, tag, { sessionText, sessionAttr, sessionShow, sessionClass }) => {
      must(sessionText == null || !/^(script|style)$/.test(tag));
      if (sessionText != null) to.textContent = text(read(sessionText) ?? "");
      for (const [name, path] of pairs(sessionAttr)) {
        const value = attribute(name.toLowerCase(), read(path), tag);
        value === null ? own(to, "removeAttribute")(name) : own(to, "setAttribute")(name, value);
      }
      if (sessionShow != null) {
        to.hidden = !holds(sessionShow);
        own(to, "style").setProperty("display", own(to, "hidden") ? "none" : "", "important");
      }
      for (const [name, words] of pairs(sessionClass)) own(to, "classList").toggle(name, holds(words));
    };
    for (const each of own(document, "querySelectorAll")(`:is(body, body *):is(${bound})`)) {
      try {
        const tag = own(each, "localName");
        write(own(document, "createElement")("p"), tag, own(each, "dataset")); // all or nothing
        write(each, tag, own(each, "dataset"));
      } catch {}
    }
    page.sessionPaint = status;
  };

  const paint = async (ahead) => {
    const { answer, drop, signal } = ahead;
    page.sessionPaint = "";
    signal.onabort = () => page.sessionPaint && show("loading", null); // another tab speaks
    ahead.drop = () => drop((signal.onabort = null)); // Python has taken it
    const state = parse(await answer);
    const parsed = (done) => addEventListener("readystatechange", done, true);
    if (own(document, "readyState") === "loading") await new Promise(parsed);
    if (window.nextauthSession === ahead && page.sessionPaint != null) show(...state);
  };
  if (Object.hasOwn(window, "nextauthSession")) paint(nextauthSession).catch(() => {});
}
