/** Server-sent events read with fetch, since EventSource cannot send a token. */

/** Yields `{id, name, data}` of each event; calls `heard` whenever anything came, pings too. */
export async function* readEvents(body, heard) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    heard();
    const blocks = (rest + value).split('\n\n');
    rest = blocks.pop();
    for (const block of blocks) {
      const fields = Object.fromEntries(block.split('\n').map((line) => {
        const at = line.indexOf(':');
        return [line.slice(0, at), line.slice(at + 1).trimStart()];
      }));
      if (fields.data) {
        yield { id: Number(fields.id) || 0, name: fields.event, data: JSON.parse(fields.data) };
      }
    }
  }
}
