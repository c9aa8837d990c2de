// The worker that holds the index: requests in, answers out, in their order.
import { answerCall, type Call } from './calls';
import { SearchIndex } from './search_index';

const index = new SearchIndex();
let turn: Promise<void> = Promise.resolve();

addEventListener('message', (event: MessageEvent<Call>) => {
  turn = turn.then(async () => postMessage(await answerCall(index, event.data)));
});
