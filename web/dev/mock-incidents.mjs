// What the mock does about an incident, in the words of the server.

const unitMs = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Changes the incident and answers `{ status: 200 }`, or says why not. */
export function actOnIncident(incident, action, { by, note, verdict, for: length = '1h' }) {
  const now = Date.now();
  const at = new Date(now).toISOString();
  const write = (kind, what) =>
    incident.timeline.push({ at, kind, text: `${what}${by ? ` by ${by}` : ''}${note ? `: ${note}` : ''}` });
  if (action === 'note') {
    if (!note) return refused(400, 'The body cannot be read', "A note needs a 'note', which is its text.");
    write('note', 'noted');
    return { status: 200 };
  }
  if (action === 'feedback') {
    if (!verdict) return refused(400, 'The body cannot be read', "Feedback needs a 'verdict'.");
    incident.verdict = verdict;
    write('feedback', verdict === 'real' ? 'called real' : 'called a false alarm');
    return { status: 200 };
  }
  if (incident.state === 'resolved') {
    const detail = `The incident '${incident.id}' is resolved and cannot be changed.`;
    return refused(409, 'The present state does not allow this', detail);
  }
  incident.updated_at = at;
  if (action === 'acknowledge') {
    incident.state = 'acknowledged';
    write('acknowledged', 'acknowledged');
  } else if (action === 'resolve') {
    Object.assign(incident, { state: 'resolved', resolved_at: at });
    write('resolved', 'resolved');
  } else if (action === 'silence') {
    const until = new Date(now + Number(length.slice(0, -1)) * unitMs[length.slice(-1)]).toISOString();
    incident.silenced_until = until;
    write('updated', `silenced until ${until}`);
  } else
    return refused(404, 'Not found', `'${action}' is none of acknowledge, resolve, silence, feedback, note.`);
  return { status: 200 };
}

function refused(status, title, detail) {
  return { status, title, detail };
}
