import { pageTexts } from '../i18n/page';

const en = {
  name: 'Signed in as',
  unnamed: 'the server’s own token',
  role: 'Role',
  'role.ingest': 'sends events, and may not look',
  'role.read': 'looks at everything',
  'role.operate': 'looks, acts on incidents and saves boards',
  'role.admin': 'may do everything',
  expires: 'Valid until',
  lasting: 'it is revoked',
  signOut: 'Sign out',
  'blind.title': 'This token sends events, and may not look',
  'blind.text':
    'The token {{name}} has the role “ingest”. To look at boards and incidents, sign in with one of the role “read”, “operate” or “admin”.',
  'blind.other': 'Sign in with another token',
} as const;

const zh: Record<keyof typeof en, string> = {
  name: '当前身份',
  unnamed: '服务器自身的令牌',
  role: '角色',
  'role.ingest': '仅发送事件，不能查看',
  'role.read': '可查看全部内容',
  'role.operate': '可查看、处理异常事件、保存看板',
  'role.admin': '拥有全部权限',
  expires: '有效期至',
  lasting: '被吊销为止',
  signOut: '退出登录',
  'blind.title': '此令牌只能发送事件，不能查看',
  'blind.text':
    '令牌 {{name}} 的角色为“ingest”。如需查看看板和异常事件，请使用角色为“read”、“operate”或“admin”的令牌登录。',
  'blind.other': '使用其他令牌登录',
};

export const accountTexts = pageTexts('account', { en, zh });
