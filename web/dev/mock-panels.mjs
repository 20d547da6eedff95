// A board that has a panel of every kind, and the metrics that only it shows.

const title = (en, zh) => ({ en, zh });

export const panelMetrics = [
  {
    name: 'checkouts',
    unit: 'count',
    description: 'Checkouts that were begun. Before a payment is tried, only the country is known.',
    formula: 'count of checkouts',
    kind: 'count',
    of: 'checkouts',
    dimensions: ['country'],
    bucket_ms: 10_000,
  },
  {
    name: 'approved_attempts',
    unit: 'count',
    description: 'Attempts that were approved.',
    formula: 'count of approved attempts',
    kind: 'count',
    of: 'payment_attempts',
    dimensions: ['psp', 'method', 'issuer', 'country'],
    bucket_ms: 10_000,
  },
];

export const operations = {
  name: 'operations',
  title: title('Operations', '运营'),
  tiles: [
    { metric: 'authorization_rate', title: title('Authorization rate', '授权成功率'), good: 'up' },
    { metric: 'payment_volume', title: title('Approved volume', '成交金额'), good: 'up' },
    { metric: 'payment_attempts', title: title('Attempts', '支付笔数'), good: 'up' },
    { metric: 'checkouts', title: title('Checkouts', '结账'), good: 'up' },
  ],
  charts: [
    {
      metric: 'payment_attempts',
      by: 'method',
      title: title('Attempts', '支付笔数'),
      window: '1h',
      shape: 'bars',
      width: 'full',
    },
    {
      metric: 'payment_volume',
      by: 'psp',
      title: title('Approved volume', '成交金额'),
      shape: 'stacked',
      where: {},
    },
    {
      metric: 'authorization_rate',
      by: 'method',
      title: title('Authorization rate at adyen', 'adyen 授权成功率'),
      shape: 'lines',
      where: { psp: 'adyen' },
    },
  ],
  incidents: true,
  panels: [
    {
      kind: 'table',
      metric: 'declined_attempts',
      by: ['issuer', 'psp'],
      also: ['authorization_rate', 'payment_volume'],
      top: 8,
      title: title('Declines by issuer and PSP', '按发卡行和支付服务商的拒绝'),
      width: 'full',
    },
    {
      kind: 'heatmap',
      metric: 'payment_attempts',
      weeks: 2,
      title: title('When people pay', '支付时段'),
    },
    {
      kind: 'funnel',
      title: title('From checkout to approval', '从结账到成功'),
      steps: [
        { metric: 'checkouts', title: title('Checkout', '结账') },
        { metric: 'payment_attempts', title: title('Payment tried', '尝试支付') },
        { metric: 'approved_attempts', title: title('Payment approved', '支付成功') },
      ],
    },
    {
      kind: 'sankey',
      metric: 'payment_attempts',
      by: ['method', 'psp', 'issuer'],
      top: 4,
      title: title('How attempts flow', '支付流向'),
      width: 'full',
    },
    {
      kind: 'gauge',
      metric: 'authorization_rate',
      objective: '0.92',
      from: 0.5,
      to: 1,
      good: 'up',
      title: title('Authorization rate', '授权成功率'),
      width: 'third',
    },
    {
      kind: 'gauge',
      metric: 'latency_p95',
      objective: 600,
      good: 'down',
      title: title('PSP latency p95', '渠道延迟 p95'),
      width: 'third',
    },
    {
      kind: 'text',
      width: 'third',
      title: title('What to do', '处理方法'),
      text: title(
        'Watch the rate of each PSP.\n\nBelow the objective for ten minutes: call the PSP, then move traffic.\nThe number is in the run book.',
        '关注各支付服务商的成功率。\n\n若连续十分钟低于目标：先致电服务商，再切换流量。\n电话见值班手册。',
      ),
    },
    {
      kind: 'map',
      metric: 'payment_volume',
      by: 'country',
      title: title('Approved volume by country', '各国成交金额'),
      width: 'full',
    },
    { kind: 'table', metric: 'checkouts', by: ['country'], width: 'half' },
    { kind: 'gauge', metric: 'no_such_metric', objective: 1 },
    { kind: 'hologram', metric: 'payment_volume' },
  ],
};
