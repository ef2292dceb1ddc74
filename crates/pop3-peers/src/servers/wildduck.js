// WildDuck's POP3 server, over the files of a directory: SERVER DIRECTORY PORT. Its own
// handlers ask databases, and so these answer a little later too.
'use strict';

const fs = require('fs');
const path = require('path');
const { Readable } = require('stream');

const [module_, directory, port] = process.argv.slice(2);
process.chdir(path.join(path.dirname(module_), '../..'));
const POP3Server = require(module_);

const LATER = 2;
const CHUNK = 65536;
const later = answer => setTimeout(answer, LATER);
const quiet = () => false;

const server = new POP3Server({
    disableSTARTTLS: true,
    ignoreSTARTTLS: true,
    secure: false,
    id: { name: 'WildDuck POP3 Server', version: '1' },
    logger: { info: quiet, debug: quiet, error: quiet },
    onAuth(auth, session, callback) {
        const known = auth.username === 'mrose' && auth.password === 'tanstaaf';
        later(() => callback(null, known ? { user: { id: 1, username: auth.username } } : false));
    },
    onListMessages(session, callback) {
        const messages = fs.readdirSync(directory).sort().map((name, at) => ({
            id: name,
            uid: at + 1,
            mailbox: 1,
            size: fs.statSync(path.join(directory, name)).size,
            flags: [],
            seen: false
        }));
        const size = messages.reduce((sum, message) => sum + message.size, 0);
        later(() => callback(null, { messages, count: messages.length, size }));
    },
    onFetchMessage(message, session, callback) {
        later(() => {
            const octets = fs.readFileSync(path.join(directory, message.id));
            const chunks = [];
            for (let at = 0; at < octets.length; at += CHUNK) {
                chunks.push(octets.subarray(at, at + CHUNK));
            }
            callback(null, Readable.from(chunks, { objectMode: false }));
        });
    },
    onUpdate(update, session, callback) {
        for (const message of update.deleted) {
            fs.unlinkSync(path.join(directory, message.id));
        }
        later(callback);
    }
});
server.loggelf = quiet;
server.on('error', quiet);
server.listen(Number(port), '127.0.0.1');
