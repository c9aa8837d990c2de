// Files, pictures, voice messages and the installed client, in English.

/** The sentences about files; other languages have the same keys. */
export const englishFiles = {
  files: {
    attach: 'Attach files',
    dropHere: 'Let go to attach',
    tray: 'Files to send',
    remove: (name: string) => `Leave ${name} out`,
    preparing: 'Getting ready…',
    redrawn: 'Made smaller, without place and time',
    asIs: 'As it is: it may say where it was taken',
    sendAsIs: 'Send the original',
    sendRedrawn: 'Leave place and time out',
    pickOne: 'For this picture',
    kinds: {
      image: 'Photo',
      audio: 'Audio',
      video: 'Video',
      voice: 'Voice message',
      file: 'File',
    },
    size: (amount: string, unit: 'B' | 'KB' | 'MB') => `${amount} ${unit}`,
    download: 'Download',
    downloadNamed: (name: string, size: string) => `Download ${name}, ${size}`,
    open: (name: string) => `Open ${name}`,
    waiting: 'Waiting to be sent',
    uploading: (percent: number) => `Sending… ${percent} %`,
    cancel: 'Do not send',
    tryAgain: 'Try again',
    play: 'Play',
    pause: 'Pause',
    at: (time: string, whole: string) => `${time} of ${whole}`,
    position: 'Place in the recording',
    speed: (times: string) => `Speed ${times}`,
    notPlayable: 'This browser cannot play it.',
    lightbox: 'Pictures',
    previous: 'Previous picture',
    next: 'Next picture',
    zoomIn: 'Larger',
    zoomOut: 'Smaller',
    ofAll: (n: number, all: number) => `${n} of ${all}`,
    sentBy: (who: string, when: string) => `${who}, ${when}`,
  },
  voice: {
    record: 'Record a voice message',
    recording: 'Recording',
    stop: 'Stop and listen',
    send: 'Send the voice message',
    cancel: 'Throw the recording away',
    askMicrophone: 'Your browser asks whether Hearth may use the microphone.',
    limit: 'That is as long as a voice message gets.',
  },
  shell: {
    update: 'There is a new version of Hearth.',
    reload: 'Reload',
    later: 'Later',
  },
};

/** What can go wrong with files, by code: what, what now. */
export const englishFileProblems: Readonly<Record<string, readonly [string, string]>> = {
  bad_type: [
    'In an open room the box takes jpg, png, gif, webp, pdf, doc, docx and zip files only.',
    'Put it into a zip file, or send it in a sealed room.',
  ],
  file_too_large: ['A file has at most 10 MB.', 'Make it smaller, or send it in parts.'],
  too_many_files: [
    'A message shows at most 10 files.',
    'The others were left out: send them next.',
  ],
  unreadable_file: ['This could not be read; it may be a folder.', 'Choose the files in it.'],
  file_gone: ['This file is not on the box any more.', 'Ask who sent it.'],
  file_damaged: ['This file is damaged, or not the one that was sent.', 'Ask for it once more.'],
  quota_full: [
    'There is no more room for your files on the box.',
    'Delete messages with files, or ask whoever runs the box.',
  ],
  malware_found: [
    'The virus scanner of the box refused this file.',
    'If it is harmless, ask whoever runs the box.',
  ],
  no_microphone: ['There is no microphone that could be used.', 'Plug one in, then try again.'],
  microphone_denied: [
    'Your browser does not let Hearth use the microphone.',
    'Allow it in the browser, beside the address, then try again.',
  ],
  no_picture: ['This browser cannot show the picture.', 'Download it instead.'],
};
