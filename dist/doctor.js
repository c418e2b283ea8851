if (parseInt(process.versions.node, 10) < 24) {
  process.stderr.write(
    'lifeboat: Node ' + process.versions.node + ' is too old. ' +
      'Run this with Node 24 or newer, or start bin/lifeboat, which looks for one.\n'
  );
  process.exitCode = 1;
} else {
  // Until there is a verdict: whatever ends this early is red.
  process.exitCode = 1;
  let isOver = false;
  process.on('beforeExit', () => {
    if (!isOver) process.stderr.write('lifeboat: This is a bug in Lifeboat: it ended before its work did. Report it.\n');
  });
  import('./index.js').then((lifeboat) => lifeboat.main('doctor')).then(
    () => {
      isOver = true;
    },
    (error) => {
      console.error(error);
      process.exit(1);
    }
  );
}
